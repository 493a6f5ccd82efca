"""The versions of ComfyUI's page that its browser tests run in, each in a folder of its own.

`python -m tools.testing.frontends VERSION` installs one below build/frontends/, with the pip of the
Python that runs it; ComfyUI is given the folder with `--front-end-root`.
"""

import re
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from tools.hosts.checkout import ROOT, CheckoutError, release_of, version_of

FRONTENDS = {
    "1.43.18": "what ComfyUI 0.20.1 requires",
    "1.49.6": "what ComfyUI 0.33.0 requires",
    "1.58.1": "the newest, of November 2026",
}
PACKAGE = "comfyui-frontend-package"
_FOLDER = ROOT / "build" / "frontends"


def static_of(frontend: str) -> Path:
    """The folder for `--front-end-root`."""
    return _FOLDER / frontend / PACKAGE.replace("-", "_") / "static"


def required_by(checkout: Path) -> str:
    """The version that a checkout's own requirements name.

    Raises:
        CheckoutError: they pin none.
    """
    requirements = (checkout / "requirements.txt").read_text(encoding="utf-8")
    found = re.search(rf"^{PACKAGE}==(\S+)", requirements, re.MULTILINE)
    if found is None:
        raise CheckoutError(f"{checkout / 'requirements.txt'} pins no {PACKAGE}.")
    return found[1]


def pairs_of(checkouts: Sequence[Path], every: bool = False) -> list[tuple[Path, str]]:
    """Which checkout is visited in which page: each in the one that it requires, the newest in the
    newest page as well; with `every` each in all of them."""
    own = {checkout: required_by(checkout) for checkout in checkouts}
    known = sorted({*FRONTENDS, *own.values()}, key=release_of)
    if every:
        return [(checkout, frontend) for checkout in checkouts for frontend in known]
    found = list(own.items())
    newest = max(checkouts, key=lambda place: release_of(version_of(place)), default=None)
    if newest is not None and own[newest] != known[-1]:
        found.append((newest, known[-1]))
    return found


def install(frontend: str) -> None:
    """Put a version below build/frontends/, whole or not at all.

    Raises:
        subprocess.CalledProcessError: pip found no such version, or reached no registry.
    """
    if (static_of(frontend) / "index.html").is_file():
        return
    part = _FOLDER / f"{frontend}.part"
    shutil.rmtree(part, ignore_errors=True)
    options = ["-q", "--no-deps", "--target", str(part)]
    command = [sys.executable, "-m", "pip", "install", *options, f"{PACKAGE}=={frontend}"]
    subprocess.run(command, check=True)
    shutil.rmtree(_FOLDER / frontend, ignore_errors=True)
    part.rename(_FOLDER / frontend)


if __name__ == "__main__":
    try:
        for version in sys.argv[1:]:
            install(version)
    except subprocess.CalledProcessError as error:
        sys.exit(f"!!! This failed: {' '.join(error.cmd)} !!!")
