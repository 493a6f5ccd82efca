"""A stand-in for the API surface of ComfyUI 0.20.1, for machines without a ComfyUI.

It has the names, signatures and arithmetic that this pack uses, and nothing of the host's memory
management, caching, lists, lazy inputs or graph expansion. It proves that nodes and workflows fit
together; what a real host does is proven by `tests/host` alone. Its packages are importable only
after `activate`, so a real ComfyUI never meets them.
"""

import importlib
import importlib.util
import sys
from pathlib import Path

PACKAGES = Path(__file__).parent / "packages"
NAMES = ("comfy", "comfy_api", "folder_paths", "latent_preview")


def activate(base_directory: Path) -> None:
    """Make the stand-in importable, with its model and output folders below `base_directory`.

    Raises:
        RuntimeError: a real ComfyUI is importable in this process.
    """
    if str(PACKAGES) not in sys.path:
        real = [name for name in NAMES if importlib.util.find_spec(name) is not None]
        if real:
            raise RuntimeError(
                f"{', '.join(real)} can be imported already: this process has a real ComfyUI, and "
                "the stand-in must not mix with it. Run the stand-in in an environment without one."
            )
        sys.path.insert(0, str(PACKAGES))
    folder_paths = importlib.import_module("folder_paths")
    folder_paths.set_base_directory(str(base_directory))


def is_active() -> bool:
    """Whether `comfy` is the stand-in in this process."""
    return str(PACKAGES) in sys.path
