"""One function a task: from what the user asks to the `Conditioning` any sampler can run.

The instruction follows from the task and is never guessed from a text.
Source: acestep/core/generation/handler/{task_utils,conditioning_masks}.py.
"""

from dataclasses import replace

from .. import prompts
from ..constants import INSTRUMENTAL, SHORTEST_FRAMES
from ..errors import InvalidRequestError
from ..timing import canvas_frames, frames_of_codes
from ..types import AudioCodes, Conditioning, Song
from .text import TextEncoder


def text_to_music(
    song: Song, encoder: TextEncoder, codes: AudioCodes | None = None
) -> Conditioning:
    """A new song from its description; with audio codes, a song that follows them.

    Raises:
        InvalidRequestError: neither caption nor lyrics, or neither a length nor codes.
    """
    song = _described(song)
    if codes is not None:
        seconds = codes.seconds if song.seconds is None else song.seconds
        frames = max(frames_of_codes(len(codes)), SHORTEST_FRAMES)
        return replace(_read(song, encoder, prompts.COVER, seconds, frames), codes=codes)
    if song.seconds is None:
        raise InvalidRequestError(
            "The song has no length. Set `seconds` (10 to 600), or let the language model plan it."
        )
    frames = canvas_frames(song.seconds)
    return _read(song, encoder, prompts.TEXT_TO_MUSIC, song.seconds, frames)


def _described(song: Song) -> Song:
    """`song` with the trained words for "nobody sings" where lyrics are blank."""
    if not song.caption.strip() and not song.lyrics.strip():
        raise InvalidRequestError(
            "The caption and the lyrics are both empty. Describe the music in `caption`, or give "
            "`lyrics` to sing."
        )
    return song if song.lyrics.strip() else replace(song, lyrics=INSTRUMENTAL)


def _read(
    song: Song, encoder: TextEncoder, instruction: str, seconds: float, frames: int
) -> Conditioning:
    return Conditioning(
        text=encoder.states(prompts.text_prompt(song, instruction, seconds)),
        lyrics=encoder.embeddings(prompts.lyric_prompt(song)),
        frames=frames,
    )
