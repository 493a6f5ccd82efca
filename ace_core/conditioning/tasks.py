"""One function a task: from what the user asks to the `Conditioning` any sampler can run.

The instruction follows from the task and is never guessed from a text; a caller's own replaces it.
Source: acestep/core/generation/handler/{task_utils,conditioning_masks}.py.
"""

from dataclasses import dataclass, replace

from torch import Tensor

from .. import prompts
from ..constants import INSTRUMENTAL, SHORTEST_FRAMES, TRACKS
from ..errors import InvalidRequestError
from ..timing import canvas_frames, frames_of_codes
from ..types import AudioCodes, Conditioning, Song
from .text import TextEncoder


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """The audio that a task starts from, as latents: one for all items of a batch, or one each.

    `seconds` is how long the music is that the text speaks of: the source before any padding.
    """

    latents: Tensor  # [1 or B, T, C]
    seconds: float

    @property
    def frames(self) -> int:
        return max(self.latents.shape[1], SHORTEST_FRAMES)


def text_to_music(
    song: Song,
    encoder: TextEncoder,
    codes: AudioCodes | None = None,
    instruction: str | None = None,
) -> Conditioning:
    """A new song from its description; with audio codes, a song that follows them.

    Raises:
        InvalidRequestError: neither caption nor lyrics, or neither a length nor codes.
    """
    song = _described(song)
    if codes is not None:
        seconds = codes.seconds if song.seconds is None else song.seconds
        frames = max(frames_of_codes(len(codes)), SHORTEST_FRAMES)
        item = _read(song, encoder, instruction or prompts.COVER, seconds, frames)
        return replace(item, codes=codes)
    if song.seconds is None:
        raise InvalidRequestError(
            "The song has no length. Set `seconds` (10 to 600), or let the language model plan it."
        )
    frames = canvas_frames(song.seconds)
    return _read(song, encoder, instruction or prompts.TEXT_TO_MUSIC, song.seconds, frames)


def cover(
    song: Song,
    encoder: TextEncoder,
    source: Source,
    quantize: bool = True,
    instruction: str | None = None,
) -> Conditioning:
    """The source in another style: its melody and rhythm as codes, its sound from the caption.

    With `quantize` off the raw latents are kept instead, which stays closer to the source (remix).
    """
    item = _from_source(_described(song), encoder, instruction or prompts.COVER, source)
    return replace(item, quantize=quantize)


def audio_to_audio(
    song: Song, encoder: TextEncoder, source: Source, instruction: str | None = None
) -> Conditioning:
    """A new song as long as the source, for a run that starts from it and hears it no more."""
    words = instruction or prompts.TEXT_TO_MUSIC
    return replace(_from_source(_described(song), encoder, words, source), unheard=True)


def repaint(
    song: Song,
    encoder: TextEncoder,
    source: Source,
    mask: Tensor,
    instruction: str | None = None,
) -> Conditioning:
    """The source with the part where `mask` [1, T, 1] is 1 played anew; it is silent there."""
    item = _from_source(_described(song), encoder, instruction or prompts.REPAINT, source)
    return replace(item, mask=_checked(mask, item.frames), hole=True)


def lego(
    song: Song,
    encoder: TextEncoder,
    source: Source,
    track: str,
    mask: Tensor | None = None,
    instruction: str | None = None,
) -> Conditioning:
    """One more track for the source, heard whole; `mask` [1, T, 1] says where it plays."""
    words = instruction or prompts.lego_instruction(_known(track))
    item = _from_source(song, encoder, words, source)
    return item if mask is None else replace(item, mask=_checked(mask, item.frames))


def extract(
    song: Song, encoder: TextEncoder, source: Source, track: str, instruction: str | None = None
) -> Conditioning:
    """One track alone, taken out of the source."""
    words = instruction or prompts.extract_instruction(_known(track))
    return _from_source(song, encoder, words, source)


def complete(
    song: Song,
    encoder: TextEncoder,
    source: Source,
    tracks: tuple[str, ...],
    instruction: str | None = None,
) -> Conditioning:
    """The source with the named tracks added around it.

    Raises:
        InvalidRequestError: no track, or one that the models do not know.
    """
    if not tracks and instruction is None:
        raise InvalidRequestError(f"Name at least one track to add: {', '.join(TRACKS)}.")
    known = tuple(_known(track) for track in tracks)
    words = instruction or prompts.complete_instruction(known)
    return _from_source(song, encoder, words, source)


def uncovered(item: Conditioning, song: Song, encoder: TextEncoder, seconds: float) -> Conditioning:
    """What `item` becomes when the cover strength runs out: its text as text to music, no source.

    Lyrics, timbre and mask stay. Source: the switch at `cover_steps` in
    acestep/models/*/modeling_acestep_v15_*.py, generate_audio.
    """
    prompt = prompts.text_prompt(_described(song), prompts.TEXT_TO_MUSIC, seconds)
    return replace(
        item, text=encoder.states(prompt), source=None, codes=None, quantize=False, hole=False
    )


def _described(song: Song) -> Song:
    """`song` with the trained words for "nobody sings" where lyrics are blank."""
    if not song.caption.strip() and not song.lyrics.strip():
        raise InvalidRequestError(
            "The caption and the lyrics are both empty. Describe the music in `caption`, or give "
            "`lyrics` to sing."
        )
    return _sung(song)


def _sung(song: Song) -> Song:
    return song if song.lyrics.strip() else replace(song, lyrics=INSTRUMENTAL)


def _known(track: str) -> str:
    if track not in TRACKS:
        raise InvalidRequestError(
            f"{track!r} is not a track of the models. Choose one of {', '.join(TRACKS)}."
        )
    return track


def _checked(mask: Tensor, frames: int) -> Tensor:
    if mask.shape != (1, frames, 1):
        raise InvalidRequestError(
            f"The mask has shape {tuple(mask.shape)}, but the source is {frames} latent frames "
            f"long and needs (1, {frames}, 1). Make the mask for this source."
        )
    return mask


def _from_source(
    song: Song, encoder: TextEncoder, instruction: str, source: Source
) -> Conditioning:
    item = _read(_sung(song), encoder, instruction, source.seconds, source.frames)
    return replace(item, source=source.latents)


def _read(
    song: Song, encoder: TextEncoder, instruction: str, seconds: float, frames: int
) -> Conditioning:
    return Conditioning(
        text=encoder.states(prompts.text_prompt(song, instruction, seconds)),
        lyrics=encoder.embeddings(prompts.lyric_prompt(song)),
        frames=frames,
    )
