"""The language model by itself: describe what codes play, make a song up, lay a draft out."""

from typing import Any

from .handlers import LLMHandler
from .results import CreateSampleResult, FormatSampleResult, UnderstandResult


def understand_music(
    llm_handler: LLMHandler,
    audio_codes: str,
    temperature: float = 0.85,
    top_k: int | None = None,
    top_p: float | None = None,
    repetition_penalty: float = 1.0,
    use_constrained_decoding: bool = True,
    constrained_decoding_debug: bool = False,
) -> UnderstandResult:
    """What the song that `audio_codes` play is like."""
    raise NotImplementedError


def create_sample(
    llm_handler: LLMHandler,
    query: str,
    instrumental: bool = False,
    vocal_language: str | None = None,
    temperature: float = 0.85,
    top_k: int | None = None,
    top_p: float | None = None,
    repetition_penalty: float = 1.0,
    use_constrained_decoding: bool = True,
    constrained_decoding_debug: bool = False,
) -> CreateSampleResult:
    """A whole song from an idea in a few words."""
    raise NotImplementedError


def format_sample(
    llm_handler: LLMHandler,
    caption: str,
    lyrics: str,
    user_metadata: dict[str, Any] | None = None,
    temperature: float = 0.85,
    top_k: int | None = None,
    top_p: float | None = None,
    repetition_penalty: float = 1.0,
    use_constrained_decoding: bool = True,
    constrained_decoding_debug: bool = False,
) -> FormatSampleResult:
    """A better caption and better laid out lyrics. What `user_metadata` states is kept."""
    raise NotImplementedError
