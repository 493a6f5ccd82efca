"""The host of this process, chosen once: a real ComfyUI where there is one, else the stand-in."""

from pathlib import Path

from tools.hosts import standin
from tools.hosts.checkout import find_checkout, has_requirements, import_checkout
from tools.hosts.host import Host, local_host

_started: dict[Path, Host] = {}  # one host a process: its modules cannot be unloaded


def start_local_host(base_directory: Path) -> Host:
    """A host whose models, inputs and outputs are below `base_directory`.

    Raises:
        RuntimeError: a host was started below another folder.
    """
    if not _started:
        for name in ("models", "input", "output", "temp", "user", "custom_nodes"):
            (base_directory / name).mkdir(parents=True, exist_ok=True)
        checkout = find_checkout() if has_requirements() else None
        if checkout is None:
            standin.activate(base_directory)
        else:
            import_checkout(checkout, base_directory)
        _started[base_directory] = local_host()
    if base_directory not in _started:
        raise RuntimeError(f"this process has a host below {next(iter(_started))} already")
    return _started[base_directory]


def started() -> tuple[Path, Host] | None:
    """The base directory and host of this process, if there are any yet."""
    return next(iter(_started.items()), None)
