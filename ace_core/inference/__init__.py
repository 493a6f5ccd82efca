"""The published Python API of ACE-Step 1.5 on this library: a song by one call, without a host.

Names, fields, defaults and meanings are those of the published document; `docs/api.md` lists them.
A name is imported when it is first used, so that whoever needs the parameters alone, such as a
command line's help, does not wait for torch.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .handlers import AceStepHandler, LLMHandler
    from .lm_calls import create_sample, format_sample, understand_music
    from .music import generate_music
    from .types import (
        CreateSampleResult,
        FormatSampleResult,
        GenerationConfig,
        GenerationParams,
        GenerationResult,
        UnderstandResult,
    )

__all__ = [
    "AceStepHandler",
    "CreateSampleResult",
    "FormatSampleResult",
    "GenerationConfig",
    "GenerationParams",
    "GenerationResult",
    "LLMHandler",
    "UnderstandResult",
    "create_sample",
    "format_sample",
    "generate_music",
    "understand_music",
]
_MODULES = {  # of the names; the others are value types
    "handlers": ("AceStepHandler", "LLMHandler"),
    "music": ("generate_music",),
    "lm_calls": ("create_sample", "format_sample", "understand_music"),
}


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = next((module for module, names in _MODULES.items() if name in names), "types")
    return getattr(import_module(f".{module}", __name__), name)
