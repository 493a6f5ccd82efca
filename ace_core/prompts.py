"""The exact texts the diffusion model was trained on. Every byte matters.

Source: acestep/constants.py (SFT_GEN_PROMPT, TASK_INSTRUCTIONS) and
acestep/core/generation/handler/{prompt_utils,metadata_utils}.py of the official code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from .constants import END_OF_TEXT

if TYPE_CHECKING:
    from .types import Song

TEXT_TO_MUSIC: Final = "Fill the audio semantic mask based on the given conditions:"
COVER: Final = "Generate audio semantic tokens based on the given conditions:"
REPAINT: Final = "Repaint the mask area based on the given conditions:"

NOT_GIVEN: Final = "N/A"
DEFAULT_SECONDS: Final = 30  # in the prompt when the length is automatic
UNKNOWN_LANGUAGE: Final = "unknown"


def extract_instruction(track: str) -> str:
    return f"Extract the {track.upper()} track from the audio:"


def lego_instruction(track: str) -> str:
    return f"Generate the {track.upper()} track based on the audio context:"


def complete_instruction(tracks: tuple[str, ...]) -> str:
    return f"Complete the input track with {' | '.join(track.upper() for track in tracks)}:"


def text_prompt(song: Song, instruction: str, seconds: float | None) -> str:
    """The prompt of the text encoder: instruction, caption and metadata, nothing stripped.

    `seconds` is the length of the source when there is one, else of the song.
    """
    return (
        f"# Instruction\n{_with_colon(instruction)}\n\n"
        f"# Caption\n{song.caption}\n\n"
        f"# Metas\n{metadata_lines(song, seconds)}{END_OF_TEXT}\n"
    )


def lyric_prompt(song: Song) -> str:
    """The prompt of the lyric encoder: the language and the lyrics, verbatim."""
    return f"{lyric_heading(song)}{song.lyrics}{END_OF_TEXT}"


def lyric_heading(song: Song) -> str:
    """The part of the prompt before the lyrics."""
    return f"# Languages\n{song.language or UNKNOWN_LANGUAGE}\n\n# Lyric\n"


def metadata_lines(song: Song, seconds: float | None) -> str:
    """The four metadata lines in their trained order; the length is cut to whole seconds."""
    whole = DEFAULT_SECONDS if seconds is None else int(seconds)
    return (
        f"- bpm: {song.bpm or NOT_GIVEN}\n"
        f"- timesignature: {song.time_signature or NOT_GIVEN}\n"
        f"- keyscale: {song.key or NOT_GIVEN}\n"
        f"- duration: {whole} seconds\n"
    )


def _with_colon(instruction: str) -> str:
    return instruction if instruction.endswith(":") else f"{instruction}:"
