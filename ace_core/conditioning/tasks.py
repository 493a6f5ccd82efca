"""One function per task: from a request to the `Task` that any sampler can run.

The instruction follows from the task and is never guessed from a text; a caller's own replaces it.
Source: acestep/core/generation/handler/{task_utils,conditioning_masks}.py.
"""

from dataclasses import replace
from typing import NamedTuple

from torch import Tensor

from .. import prompts
from ..constants import INSTRUMENTAL, TRACKS
from ..errors import InvalidRequestError
from ..parsing import quoted
from ..task import (
    EditWindow,
    FlowEdit,
    Length,
    SourceUse,
    Task,
    check_strength,
    source_length,
)
from ..timing import canvas_frames, codes_for, frames_of_codes
from ..types import AudioCodes, Song
from .text import TextEncoder, lyric_warnings


def text_to_music(
    song: Song,
    encoder: TextEncoder,
    codes: AudioCodes | None = None,
    instruction: str | None = None,
) -> Task:
    """A new song from its description; with audio codes, a song that follows them and is as long
    as they are, whatever `song` says: the text and the canvas agree.

    Raises:
        InvalidRequestError: neither caption nor lyrics, or neither a length nor codes.
    """
    song = _checked_song(song)
    if codes is not None:
        length = source_length(frames_of_codes(len(codes)), codes.seconds)
        task = _encoded_task("text2music", song, encoder, instruction or prompts.COVER, length)
        return replace(task, codes=codes, warnings=task.warnings + _length_warnings(song, codes))
    if song.seconds is None:
        raise InvalidRequestError(
            "The song has no length. Set `seconds` (10 to 600), or let the language model plan it."
        )
    length = Length(canvas_frames(song.seconds), song.seconds)
    return _encoded_task("text2music", song, encoder, instruction or prompts.TEXT_TO_MUSIC, length)


def cover(
    song: Song,
    encoder: TextEncoder,
    length: Length,
    quantize: bool = True,
    instruction: str | None = None,
) -> Task:
    """The source in another style: its melody and rhythm as codes, its sound from the caption.

    With `quantize` off the raw latents are kept instead, which stays closer to the source (remix).
    """
    task = _encoded_task(
        "cover", _checked_song(song), encoder, instruction or prompts.COVER, length
    )
    return replace(task, source_use=SourceUse.QUANTIZED if quantize else SourceUse.WHOLE)


def audio_to_audio(
    song: Song,
    encoder: TextEncoder,
    length: Length,
    source_strength: float,
    instruction: str | None = None,
) -> Task:
    """A new song as long as the source that starts from it: `source_strength` is how much of the
    source is left in the starting noise, and the model sees nothing else of it."""
    check_strength("reference audio strength", source_strength)
    instruction = instruction or prompts.TEXT_TO_MUSIC
    task = _encoded_task("audio2audio", _checked_song(song), encoder, instruction, length)
    return replace(task, source_use=SourceUse.INIT_ONLY, source_strength=source_strength)


class SongEdit(NamedTuple):
    """A recording's words, what they are to become, and where in the schedule."""

    source: Song  # as the recording is
    target: Song  # as it is to be
    window: EditWindow = EditWindow()


def morph(
    songs: SongEdit,
    encoder: TextEncoder,
    length: Length,
    context: SourceUse = SourceUse.INIT_ONLY,
    instruction: str | None = None,
) -> Task:
    """The source with its words exchanged: other lyrics, another style, the rest kept (flow edit).

    `context` is what the model sees of the source under either words: nothing, as in text to music
    (INIT_ONLY), its codes (QUANTIZED) or its latents (WHOLE).

    Raises:
        InvalidRequestError: words are missing, or the model would see a masked source.
    """
    if context is SourceUse.MASKED:
        raise InvalidRequestError(
            "A morph has no region. Choose whether the model sees nothing of the source, its codes "
            "or its latents."
        )
    plain = prompts.TEXT_TO_MUSIC if context is SourceUse.INIT_ONLY else prompts.COVER
    instruction = instruction or plain
    old, new = (
        _encoded_task("morph", _checked_song(song), encoder, instruction, length)
        for song in (songs.source, songs.target)
    )
    edit = FlowEdit(old.text, old.lyrics, songs.window)
    source_warnings = tuple(f"The words of the source: {each}" for each in old.warnings)
    warnings = (*new.warnings, *source_warnings)
    return replace(new, source_use=context, edit=edit, warnings=warnings)


def repaint(
    song: Song,
    encoder: TextEncoder,
    length: Length,
    mask: Tensor,
    instruction: str | None = None,
) -> Task:
    """The source with new music where `mask` [1, T, 1] is 1; the model sees silence there."""
    task = _encoded_task(
        "repaint", _checked_song(song), encoder, instruction or prompts.REPAINT, length
    )
    mask = _checked_mask(mask, task.frames)
    warnings = task.warnings
    if bool((mask[:, : length.music_frames] > 0).all()):
        warnings += (
            "The region of the repaint is the whole song, so nothing of it is kept. Set a start "
            "and an end to keep the rest.",
        )
    return replace(task, mask=mask, source_use=SourceUse.MASKED, warnings=warnings)


def lego(
    song: Song,
    encoder: TextEncoder,
    length: Length,
    track: str,
    mask: Tensor | None = None,
    instruction: str | None = None,
) -> Task:
    """One more track for the source, seen whole; `mask` [1, T, 1] says where it plays."""
    instruction = instruction or prompts.lego_instruction(_checked_track(track))
    task = _encoded_task("lego", song, encoder, instruction, length)
    return task if mask is None else replace(task, mask=_checked_mask(mask, task.frames))


def extract(
    song: Song, encoder: TextEncoder, length: Length, track: str, instruction: str | None = None
) -> Task:
    """One track alone, taken out of the source."""
    instruction = instruction or prompts.extract_instruction(_checked_track(track))
    return _encoded_task("extract", song, encoder, instruction, length)


def complete(
    song: Song,
    encoder: TextEncoder,
    length: Length,
    tracks: tuple[str, ...],
    instruction: str | None = None,
) -> Task:
    """The source with the named tracks added around it.

    Raises:
        InvalidRequestError: no track, or one that the models do not know.
    """
    if not tracks and instruction is None:
        raise InvalidRequestError(f"Name at least one track to add: {', '.join(TRACKS)}.")
    known = tuple(_checked_track(track) for track in tracks)
    instruction = instruction or prompts.complete_instruction(known)
    return _encoded_task("complete", song, encoder, instruction, length)


def with_cover_strength(
    task: Task, strength: float, song: Song, encoder: TextEncoder, seconds: float
) -> Task:
    """`task` whose source or codes are seen in the first `strength` of the steps; in the rest the
    song is text to music of `seconds`.

    Raises:
        InvalidRequestError: `strength` outside 0 to 1.
    """
    check_strength("cover strength", strength)
    if strength == 1:
        return task
    instruction = prompts.TEXT_TO_MUSIC
    fitted = encoder.fit(_checked_song(song), instruction, seconds)
    prompt = prompts.text_prompt(fitted.song, instruction, seconds)
    return replace(task, cover_strength=strength, text_without_source=encoder.states(prompt))


def _checked_song(song: Song) -> Song:
    """`song`, with the tag that the models were trained on for instrumental music where lyrics are
    blank."""
    if not song.caption.strip() and not song.lyrics.strip():
        raise InvalidRequestError(
            "The caption and the lyrics are both empty. Describe the music in `caption`, or give "
            "`lyrics` to sing."
        )
    return _with_lyrics(song)


def _length_warnings(song: Song, codes: AudioCodes) -> tuple[str, ...]:
    """What is said where the codes were not composed for the length of `song`."""
    if song.seconds is None or codes_for(song.seconds) == len(codes):
        return ()
    return (
        f"The length of {song.seconds:g} seconds is not used: the codes play {codes.seconds:g}.",
    )


def _with_lyrics(song: Song) -> Song:
    return song if song.lyrics.strip() else replace(song, lyrics=INSTRUMENTAL)


def _checked_track(track: str) -> str:
    if track not in TRACKS:
        raise InvalidRequestError(
            f"{quoted(track)} is not a track of the models. Choose one of {', '.join(TRACKS)}."
        )
    return track


def _checked_mask(mask: Tensor, frames: int) -> Tensor:
    if mask.shape != (1, frames, 1):
        raise InvalidRequestError(
            f"The mask has shape {tuple(mask.shape)}, but the source is {frames} latent frames "
            f"long and needs (1, {frames}, 1). Make the mask for this source."
        )
    return mask


def _encoded_task(
    name: str, song: Song, encoder: TextEncoder, instruction: str, length: Length
) -> Task:
    """The task with its text and lyrics encoded, and nothing else yet."""
    fitted = encoder.fit(_with_lyrics(song), instruction, length.seconds)
    return Task(
        text=encoder.states(prompts.text_prompt(fitted.song, instruction, length.seconds)),
        lyrics=encoder.embeddings(prompts.lyric_prompt(fitted.song)),
        frames=length.frames,
        name=name,
        padding=length.padding,
        warnings=fitted.warnings + lyric_warnings(encoder.tokenizer, fitted.song),
    )
