"""Where a real ComfyUI is, what this environment lacks for it, and how to import it here."""

import importlib
import importlib.util
import os
import subprocess
import sys
import warnings
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
STANDINS = {
    "torchvision": ROOT / "tests" / "host" / "standins" / "vision",
    "torchaudio": ROOT / "tests" / "host" / "standins" / "audio",
}
_HOST_ONLY = "comfy_kitchen"  # a requirement of the host that nothing else brings


def find_checkout() -> Path | None:
    """The ComfyUI at COMFYUI_PATH, else at ~/comfy/ComfyUI; None when there is none.

    Raises:
        FileNotFoundError: COMFYUI_PATH is set to a place that is no ComfyUI.
    """
    named = os.environ.get("COMFYUI_PATH")
    usual = Path.home() / "comfy" / "ComfyUI"
    place = Path(named).expanduser() if named else usual
    if (place / "comfyui_version.py").is_file():
        return place.resolve()
    if named and place.resolve() != usual.resolve():
        raise FileNotFoundError(
            f"COMFYUI_PATH is {named}, but there is no comfyui_version.py in it. Set it to a "
            "checkout of ComfyUI, or unset it."
        )
    return None


def has_requirements() -> bool:
    """Whether this Python has what a ComfyUI needs (the Makefile's .venv-host has)."""
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
