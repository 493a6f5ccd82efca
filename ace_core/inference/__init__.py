"""The published Python API of ACE-Step 1.5 on this library: a song by one call, without a host.

Names, fields, defaults and meanings are those of the published document; `docs/api.md` lists them.
"""

from .handlers import AceStepHandler, LLMHandler
from .music import generate_music
from .params import GenerationConfig, GenerationParams
from .results import (
    CreateSampleResult,
    FormatSampleResult,
    GenerationResult,
    UnderstandResult,
)
from .songs import create_sample, format_sample, understand_music

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
