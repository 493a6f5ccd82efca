"""Which ComfyUI checkouts there are, what this environment lacks for one, how to import it here."""

import importlib
import importlib.util
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STANDINS = {
    "torchvision": ROOT / "tests" / "host" / "standins" / "vision",
    "torchaudio": ROOT / "tests" / "host" / "standins" / "audio",
}
HOST_ENVIRONMENTS = ROOT / ".venv-hosts"  # a folder for each version of ComfyUI
_HOST_ONLY = "comfy_kitchen"  # a requirement of the host that nothing else brings
_MARK = "comfyui_version.py"


class CheckoutError(SystemExit):
    """COMFYUI_PATH or the environment of this process does not fit; the message says what to do.

    It ends every command that does not catch it with that message and exit code 1.
    """


def find_checkouts() -> tuple[Path, ...]:
    """Every ComfyUI to test: those of COMFYUI_PATH in its order, else all ~/comfy/ComfyUI*, the
    oldest version first.

    Raises:
        CheckoutError: COMFYUI_PATH names a place that is no ComfyUI, or two have one version.
    """
    found = _named() or _usual()
    by_version: dict[str, Path] = {}
    for place in found:
        version = version_of(place)
        if version in by_version:
            raise CheckoutError(
                f"{by_version[version]} and {place} are both ComfyUI {version}, and a version has "
                "one environment. Set COMFYUI_PATH to the checkouts to test."
            )
        by_version[version] = place
    return found


def find_checkout() -> Path | None:
    """The one ComfyUI of this process, None when there is none. Of those that COMFYUI_PATH names it
    is the first, else ~/comfy/ComfyUI, else the newest beside it; a Python that `make setup` made
    for a ComfyUI takes that one.

    Raises:
        CheckoutError: COMFYUI_PATH names a place that is no ComfyUI, or no ComfyUI of the version
            that this Python was made for.
    """
    named, ours = _named(), _version_of_environment()
    if ours is None:
        preferred = (Path.home() / "comfy" / "ComfyUI").resolve()
        newest_first = _usual()[::-1]
        ordered = named or sorted(newest_first, key=lambda place: place != preferred)
        return next(iter(ordered), None)
    fitting = [place for place in named or _usual() if version_of(place) == ours]
    if named and not fitting:
        raise CheckoutError(
            f"COMFYUI_PATH is ComfyUI {version_of(named[0])}, but {sys.prefix} is the environment "
            f"of ComfyUI {ours}. Use {environment_of(named[0])}, or unset COMFYUI_PATH."
        )
    return next(iter(fitting), None)


def require_checkout() -> Path:
    """The one ComfyUI of this process, for a command that needs it.

    Raises:
        CheckoutError: there is none, or COMFYUI_PATH is wrong; the message says which.
    """
    checkout = find_checkout()
    if checkout is None:
        raise CheckoutError(
            "There is no ComfyUI here. Set COMFYUI_PATH to a checkout, and use the Python of its "
            "environment."
        )
    return checkout


def version_of(checkout: Path) -> str:
    """Such as "0.20.1", read without importing anything.

    Raises:
        CheckoutError: its file of the version holds none.
    """
    found = re.search(r'__version__ = "([^"]+)"', (checkout / _MARK).read_text(encoding="utf-8"))
    if found is None:
        raise CheckoutError(f"{checkout / _MARK} does not say a version.")
    return found[1]


def release_of(version: str) -> tuple[int, ...]:
    """The numbers of a version, to sort by."""
    return tuple(int(number) for number in re.findall(r"\d+", version))


def environment_of(checkout: Path) -> Path:
    """The folder of the Python environment that `make setup` makes for a checkout."""
    return HOST_ENVIRONMENTS / version_of(checkout)


def has_requirements() -> bool:
    """Whether this Python has what a ComfyUI needs (those in .venv-hosts have)."""
    return importlib.util.find_spec(_HOST_ONLY) is not None


def standins_for(python: str) -> list[str]:
    """Folders for PYTHONPATH: one for each package that `python` cannot import."""
    return [str(place) for name, place in STANDINS.items() if not _imports(python, name)]


def import_checkout(checkout: Path, base_directory: Path) -> None:
    """Make `comfy`, `nodes` and `folder_paths` of the checkout importable here, on the CPU.

    The checkout goes before this repository, whose `nodes/` would hide the host's `nodes.py`.
    """
    sys.path[:0] = [*standins_for(sys.executable), str(checkout)]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # the host's imports warn; that is not our business
        args = importlib.import_module("comfy.cli_args").args
        args.cpu = True
        args.disable_api_nodes = True
        args.base_directory = str(base_directory)
        for name in ("folder_paths", "nodes", "execution"):
            importlib.import_module(name)


def _imports(python: str, name: str) -> bool:
    """Installed is not enough: a build for another torch raises when it is imported."""
    command = [python, "-c", f"import {name}"]
    return subprocess.run(command, capture_output=True, timeout=120, check=False).returncode == 0


def _named() -> tuple[Path, ...]:
    """The checkouts of COMFYUI_PATH, in its order."""
    parts = [part for part in os.environ.get("COMFYUI_PATH", "").split(os.pathsep) if part]
    for part in parts:
        if not (Path(part).expanduser() / _MARK).is_file():
            raise CheckoutError(
                f"COMFYUI_PATH has {part}, but there is no {_MARK} in it. Set it to a checkout of "
                f"ComfyUI, to several with {os.pathsep!r} between, or unset it."
            )
    return tuple(Path(part).expanduser().resolve() for part in parts)


def _usual() -> tuple[Path, ...]:
    """The checkouts in the usual place, oldest version first."""
    marks = sorted((Path.home() / "comfy").glob(f"ComfyUI*/{_MARK}"))
    places = dict.fromkeys(mark.parent.resolve() for mark in marks)  # a link counts once
    return tuple(sorted(places, key=lambda place: release_of(version_of(place))))


def _version_of_environment() -> str | None:
    """The version of ComfyUI that this Python's environment was made for, if for any."""
    here = Path(sys.prefix)
    return here.name if here.parent.name == HOST_ENVIRONMENTS.name else None
