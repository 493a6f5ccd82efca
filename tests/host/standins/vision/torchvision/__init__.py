"""Stand-in for torchvision: its names can be imported, and say so when they are used."""

import sys
from types import ModuleType
from typing import Any

__version__ = "0.0.0+standin"
_MODULES = ("io", "models", "ops", "transforms", "transforms.functional", "transforms.v2", "utils")


class _Missing:
    """A class or function that is not here."""

    def __init__(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("torchvision is a stand-in here: install the real one to use this node.")


class _Module(ModuleType):
    __path__: list[str] = []  # a package, so that its own submodules can be imported  # noqa: RUF012

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _Missing


for _name in _MODULES:
    _module = _Module(f"{__name__}.{_name}")
    sys.modules[_module.__name__] = _module
    _parent, _, _leaf = _name.rpartition(".")
    setattr(sys.modules[f"{__name__}.{_parent}" if _parent else __name__], _leaf, _module)
