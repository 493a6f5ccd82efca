"""The host of this process, chosen once: a real ComfyUI where there is one, else the stand-in."""

import importlib.util
from pathlib import Path

from tools.hosts import standin
from tools.hosts.checkout import find_checkout, has_requirements, import_checkout
from tools.hosts.host import Host

_started: dict[Path, Host] = {}  # one host per process: its modules cannot be unloaded


def start_local_host(base_directory: Path) -> Host:
    """A host whose models, inputs and outputs are below `base_directory`.

    Raises:
        CheckoutError: COMFYUI_PATH is wrong.
        RuntimeError: a host was started below another folder.
    """
    if not _started:
        for name in ("models", "input", "output", "temp", "user", "custom_nodes"):
            (base_directory / name).mkdir(parents=True, exist_ok=True)
        checkout = find_checkout()  # before anything else, for a wrong COMFYUI_PATH
        if checkout is None or not has_requirements():
            standin.activate(base_directory)
        else:
            import_checkout(checkout, base_directory)
        _started[base_directory] = _local_host()
    if base_directory not in _started:
        raise RuntimeError(f"this process has a host below {next(iter(_started))} already")
    return _started[base_directory]


def started() -> tuple[Path, Host] | None:
    """The base directory and host of this process, None before one was started."""
    return next(iter(_started.items()), None)


def _local_host() -> Host:
    """The stand-in where it was activated, else the ComfyUI that is importable.

    Raises:
        RuntimeError: neither is importable.
    """
    if standin.is_active():  # its packages and ComfyUI's are importable from here on only
        from tools.hosts.standin.executor import StandinHost

        return StandinHost()
    if importlib.util.find_spec("comfy_api") is None:
        raise RuntimeError("No host: call standin.activate(folder), or import a ComfyUI.")
    from tools.hosts.in_process import InProcessHost

    return InProcessHost()
