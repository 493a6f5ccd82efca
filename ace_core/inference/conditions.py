"""A task from its files to what the sampler runs: recordings read, words and sound encoded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from ..audio.recording import read_audio
from ..audio.source import source_audio
from ..audio.splice import Span
from ..conditioning import tasks
from ..conditioning.reference import reference_segments
from ..conditioning.text import TextEncoder
from ..errors import InvalidRequestError
from ..pipeline import listen
from ..sampling.repaint import Preservation, RepaintMode, preservation
from ..sources import Heard, check_variations, heard, placed
from ..types import AudioCodes, Conditioning, Song
from .handlers import Service
from .params import GenerationParams
from .tracks import instructed, own_words


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """What is asked of which recordings; all that can be refused about it was refused."""

    name: str
    tracks: tuple[str, ...] = ()
    words: str | None = None  # an instruction of the caller's own
    source: Heard | None = None
    mask: Tensor | None = None  # [1, T, 1]
    spans: Sequence[Span] = ()  # seconds
    keep: Preservation | None = None
    reference: Tensor | None = None  # [1, 2, N], 30 s

    @property
    def blend(self) -> float | None:
        """Seconds over which the source's own sound is put back around new music, if it is."""
        return None if self.keep is None else self.keep.audio_blend


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """Conditioning of every item, or of each; and of the steps that hear no source."""

    items: tuple[Conditioning, ...]
    free: Conditioning | None = None

    @property
    def mask(self) -> Tensor:
        """[1, T], 1 where new music is played."""
        item = self.items[0]
        return torch.ones(1, item.frames) if item.mask is None else item.mask[..., 0]


def task_of(params: GenerationParams, seed: int) -> Task:
    """Reads the recordings; `seed` chooses the places of the reference that are heard.

    Raises:
        InvalidAudioError: a recording is missing or cannot be used.
        InvalidRequestError: the task cannot be carried out with these parameters.
    """
    name = params.task_type
    task = Task(name, words=own_words(params.instruction))
    if params.reference_audio is not None:
        sound = source_audio(*read_audio(params.reference_audio), "reference")
        task = replace(task, reference=reference_segments(sound, seed))
    if name == "text2music" or (name == "cover" and params.audio_codes.strip()):
        return task
    if params.src_audio is None:
        raise InvalidRequestError(
            f"The task {name} starts from a recording. Set `src_audio` to its path."
        )
    if name in ("lego", "extract", "complete"):
        tracks, words = instructed(name, params.instruction)
        task = replace(task, tracks=tracks, words=words)
    return _with_source(task, heard(*read_audio(params.src_audio)), params)


def _with_source(task: Task, source: Heard, params: GenerationParams) -> Task:
    start, end = params.repainting_start, params.repainting_end
    ranged = task.name == "repaint" or (task.name == "lego" and (start != 0 or end >= 0))
    if not ranged:
        return replace(task, source=source)
    part = placed(source, start, None if end < 0 else end)
    keep = preservation(RepaintMode.BALANCED) if task.name == "repaint" else None
    return replace(task, source=part.source, mask=part.mask, spans=part.spans, keep=keep)


def asked_of(
    service: Service, task: Task, song: Song, codes: Sequence[AudioCodes], strength: float
) -> Asked:
    """Encode `song` and the recordings of `task`. `strength` below 1 is the share of the steps that
    hear the source or the codes.

    Raises:
        InvalidRequestError: the song lacks what the task needs.
    """
    check_variations(codes)
    encoder = service.models.text
    with service.text:
        item = _item(task, song, encoder, codes)
        free = None
        if strength < 1 and (task.name == "cover" or codes):
            free = tasks.uncovered(item, song, encoder, _seconds(task, song, codes))
    with service.vae:
        item = replace(item, source=_latents(service, task.source and task.source.audio))
        item = replace(item, timbre=_latents(service, task.reference))
    if free is not None:
        free = replace(free, timbre=item.timbre)
    variations = [replace(item, codes=each) for each in codes] if len(codes) > 1 else [item]
    return Asked(tuple(variations), free)


def _item(
    task: Task, song: Song, encoder: TextEncoder, codes: Sequence[AudioCodes]
) -> Conditioning:
    """The task with an empty source of the right length."""
    words = task.words
    if task.source is None:
        return tasks.text_to_music(song, encoder, codes[0] if codes else None, words)
    blank = task.source.blank
    if task.name == "cover":
        return tasks.cover(song, encoder, blank, instruction=words)
    if task.name == "extract":
        return tasks.extract(song, encoder, blank, task.tracks[0], words)
    if task.name == "complete":
        return tasks.complete(song, encoder, blank, task.tracks, words)
    if task.name == "lego":
        return tasks.lego(song, encoder, blank, task.tracks[0], task.mask, words)
    if task.mask is None:
        raise ValueError("a repaint has a mask")
    return tasks.repaint(song, encoder, blank, task.mask, words)


def _latents(service: Service, audio: Tensor | None) -> Tensor | None:
    """[1, T, C], or nothing for no sound."""
    return None if audio is None else listen(service.models, audio)


def _seconds(task: Task, song: Song, codes: Sequence[AudioCodes]) -> float:
    """Length of the music that the text speaks of."""
    if task.source is not None:
        return task.source.seconds
    return codes[0].seconds if song.seconds is None else song.seconds
