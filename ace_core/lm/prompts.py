"""The exact texts the language model was trained on. They are an interface: every byte counts.

Source: acestep/llm_inference.py and acestep/constants.py of the official code; the layout of the
codes phase is the corrected one of its issue 1126 and pull requests 1127 and 1128.
"""

from typing import Final

from ..constants import INSTRUMENTAL
from .metadata import Metadata, think_block

GENERATE: Final = "Generate audio semantic tokens based on the given conditions:"
UNDERSTAND: Final = (
    "Understand the given musical conditions and describe the audio semantics accordingly:"
)
INSPIRE: Final = "Expand the user's input into a more detailed and specific musical description:"
FORMAT: Final = "Format the user's input into a more detailed and specific musical description:"
NO_INPUT: Final = "NO USER INPUT"
EMPTY_THINK_BLOCK: Final = "<think>\n\n</think>"


def _turns(instruction: str, user: str) -> str:
    """The prompt up to the assistant's turn."""
    return (
        f"<|im_start|>system\n# Instruction\n{instruction}\n\n<|im_end|>\n"
        f"<|im_start|>user\n{user}<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def _song(caption: str, lyrics: str) -> str:
    return f"# Caption\n{caption}\n\n# Lyric\n{lyrics}\n"


def _or(text: str, default: str) -> str:
    return text if text.strip() else default


def plan_prompt(caption: str, lyrics: str) -> str:
    """Phase 1: the reply is the metadata block."""
    return _turns(GENERATE, _song(caption, lyrics))


def codes_prompt(caption: str, lyrics: str, metadata: Metadata) -> str:
    """Phase 2: the codes follow the block inside the same, still open turn."""
    return f"{_turns(GENERATE, _song(caption, lyrics))}{think_block(metadata)}\n\n"


def uncond_prompt(negative: str = "") -> str:
    """Guidance in phase 2 leads away from it: an empty prompt, or `negative`."""
    return f"{_turns(GENERATE, _or(negative, NO_INPUT))}{EMPTY_THINK_BLOCK}\n\n"


def legacy_codes_prompt(caption: str, lyrics: str, metadata: Metadata) -> str:
    """Phase 2 as releases before the correction and ComfyUI have it: the turn is closed."""
    return f"{_turns(GENERATE, _song(caption, lyrics))}{think_block(metadata)}\n\n<|im_end|>\n"


def legacy_uncond_prompt(caption: str, lyrics: str, negative: str = "") -> str:
    """The legacy layout keeps the lyrics, and the caption unless there is a `negative` one."""
    caption = caption if negative.strip() in ("", NO_INPUT) else negative
    return f"{_turns(GENERATE, _song(caption, lyrics))}{EMPTY_THINK_BLOCK}\n\n<|im_end|>\n"


def understand_prompt(codes: str) -> str:
    """Codes, written out, to metadata and lyrics."""
    return _turns(UNDERSTAND, _or(codes, NO_INPUT))


def create_prompt(query: str, instrumental: bool) -> str:
    """An idea to a whole song."""
    return _turns(INSPIRE, f"{_or(query, NO_INPUT)}\n\ninstrumental: {str(instrumental).lower()}")


def format_prompt(caption: str, lyrics: str) -> str:
    """A rough caption and lyrics to polished ones; here no newline ends the user's turn."""
    return _turns(
        FORMAT, f"# Caption\n{_or(caption, NO_INPUT)}\n\n# Lyric\n{_or(lyrics, INSTRUMENTAL)}"
    )
