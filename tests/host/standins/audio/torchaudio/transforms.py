"""Names can be imported, and say so when they are used."""

from typing import Any


class _Missing:
    def __init__(self, *_: Any, **__: Any) -> None:
        raise RuntimeError("torchaudio is a stand-in here: install the real one to use this node.")


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    return _Missing
