"""Where a Chromium and the driver of its pages are."""

import shutil

from tools.hosts.checkout import ROOT

MODULES = ROOT / "build" / "browser" / "node_modules"


def chromium() -> str | None:
    names = ("chromium", "chromium-browser", "google-chrome")
    return next((place for name in names if (place := shutil.which(name))), None)
