"""Where Chromium and playwright-core are installed. Needs the standard library only."""

import shutil

from tools.hosts.checkout import ROOT

MODULES = ROOT / "build" / "browser" / "node_modules"


def chromium() -> str | None:
    """The path of the browser, None where there is none on the PATH."""
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((path for name in names if (path := shutil.which(name))), None)
