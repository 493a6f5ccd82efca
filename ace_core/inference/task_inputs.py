"""A task from its parameters to a `Task`: recordings read, text and audio encoded."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from ..audio.files import read_audio
from ..audio.waveform import channels_note, source_audio
from ..conditioning import tasks
from ..conditioning.context import reference_segments
from ..conditioning.text import TextEncoder
from ..errors import InvalidRequestError
from ..pipeline import encode_audio
from ..sampling.repaint import RepaintMode, check_region, preservation
from ..sources import (
    RepaintCanvas,
    SourceAudio,
    check_variations,
    place_region,
    prepare_source,
    with_latents,
)
from ..task import EditWindow, Preservation, Task
from ..types import AudioCodes, Song
from .handlers import Service
from .limits import AUTO_MASK, COVER, REMIX
from .morph import MORPHED_TASKS, edit_window, source_song
from .request import custom_instruction, tracks_of
from .types import GenerationParams

DEFAULTS: Final = GenerationParams()


@dataclass(frozen=True, slots=True, eq=False)
class TaskRequest:
    """A task and its recordings, checked."""

    name: str
    tracks: tuple[str, ...] = ()
    instruction: str | None = None  # the caller's, in place of the task's own
    source: SourceAudio | None = None
    canvas: RepaintCanvas | None = None  # of a task on a region
    keep: Preservation | None = None
    reference: Tensor | None = None  # [B, 2, N], 30 s for each song
    source_strength: float = 0.0  # share of the source in the starting noise
    auto_mask: bool = False  # the model decides where to play
    window: EditWindow | None = None  # of a morph
    notes: tuple[str, ...] = ()  # on how its recordings were read


def load_task_request(params: GenerationParams, seeds: Sequence[int]) -> TaskRequest:
    """Read the recordings; each song's seed chooses its segments of the reference.

    Raises:
        InvalidAudioError: a recording is missing or cannot be used.
        InvalidRequestError: the task cannot be carried out with these parameters.
    """
    name = params.task_type
    request = TaskRequest(
        name,
        instruction=custom_instruction(params.instruction),
        auto_mask=params.chunk_mask_mode == AUTO_MASK,
    )
    notes: list[str] = []
    if params.reference_audio is not None:
        sound = source_audio(*_recording(params, "reference_audio", notes), "reference")
        segments = [reference_segments(sound, seed) for seed in seeds]
        request = replace(request, reference=torch.cat(segments))
    request = replace(request, window=edit_window(params))
    if not check_source(params):
        return replace(request, notes=tuple(notes))
    if name in ("lego", "extract", "complete"):
        tracks, instruction = tracks_of(name, params.instruction)
        request = replace(request, tracks=tracks, instruction=instruction)
    source = prepare_source(*_recording(params, "src_audio", notes))
    return _with_source(replace(request, notes=tuple(notes)), source, params)


def check_source(params: GenerationParams) -> bool:
    """Whether the song starts from a recording.

    Raises:
        InvalidRequestError: it does, and there is none, or its region ends before it starts.
    """
    name = params.task_type
    without_source = name == "text2music" or (name == COVER and params.audio_codes.strip())
    if without_source and edit_window(params) is None and not params.audio2audio_enable:
        return False
    if params.src_audio is None:
        raise InvalidRequestError(
            f"The task {name} starts from a recording. Set `src_audio` to its path."
        )
    if _ranged(params) and params.repainting_end >= 0:
        check_region(params.repainting_start, params.repainting_end)
    return True


def _ranged(params: GenerationParams) -> bool:
    """Whether the task makes new music in a region; lego does where one is given."""
    given = params.repainting_start != 0 or params.repainting_end >= 0
    return params.task_type == "repaint" or (params.task_type == "lego" and given)


def _recording(params: GenerationParams, name: str, notes: list[str]) -> tuple[Tensor, int]:
    """The recording of a field, [1, C, N], and its rate; what becomes of its channels is noted."""
    waveform, rate = read_audio(getattr(params, name))
    note = channels_note(waveform.shape[1])
    if note is not None:
        notes.append(f"`{name}` {note}.")
    return waveform, rate


def _with_source(
    request: TaskRequest, source: SourceAudio, params: GenerationParams
) -> TaskRequest:
    if not _ranged(params):
        strength = _source_strength(request, params)
        return replace(request, source=source, source_strength=strength)
    end = params.repainting_end
    canvas = place_region(source, params.repainting_start, None if end < 0 else end)
    keep = _preservation(params) if request.name == "repaint" else None
    return replace(request, source=canvas.source, canvas=canvas, keep=keep)


def _source_strength(request: TaskRequest, params: GenerationParams) -> float:
    """The share of the source in the starting noise."""
    if params.audio2audio_enable:
        return params.ref_audio_strength
    starts_from_it = request.name in (COVER, REMIX) and request.window is None
    return params.cover_noise_strength if starts_from_it else 0.0


def with_source_latents(
    request: TaskRequest, latents: Tensor | None, songs: int = 1
) -> TaskRequest:
    """`request` of a repaint whose source is not encoded: its latents [T, C] or [1 or B, T, C] are
    those of the run that made it.

    Raises:
        InvalidRequestError: another task, or latents that are not those of the source.
    """
    if latents is None:
        return request
    if request.name != "repaint" or request.canvas is None:
        raise InvalidRequestError(
            f"`source_repaint_latents` are the source of a repaint, but the task is {request.name}."
            " Leave them out."
        )
    latents = latents[None] if latents.dim() == 2 else latents
    canvas = with_latents(request.canvas, latents, (1, songs))
    return replace(request, source=canvas.source, canvas=canvas)


def _preservation(params: GenerationParams) -> Preservation:
    """The mode's own ramps, and those that are not the defaults in their place."""
    keep = preservation(RepaintMode(params.repaint_mode), params.repaint_strength)
    if (
        frames := params.repaint_latent_crossfade_frames
    ) != DEFAULTS.repaint_latent_crossfade_frames:
        keep = replace(keep, blend_frames=frames)
    if (seconds := params.repaint_wav_crossfade_sec) != DEFAULTS.repaint_wav_crossfade_sec:
        keep = replace(keep, audio_blend=seconds)
    return keep


def build_tasks(
    service: Service,
    request: TaskRequest,
    song: Song,
    codes: Sequence[AudioCodes],
    params: GenerationParams,
) -> tuple[Task, ...]:
    """One task for all songs, or one per variation of codes or of the reference's segments.

    `params` has the cover strength, the share of the steps that see the source of a cover or the
    codes, and the words of a morph's source.

    Raises:
        InvalidRequestError: the song lacks what the task needs.
    """
    check_variations(codes)
    encoder = service.models.text
    with service.text:
        if request.window is not None:
            task = _encode_morph(request, song, source_song(params, song), encoder)
        else:
            task = _encode_text(request, song, encoder, codes)
        if request.window is None and (request.name in (COVER, REMIX) or codes):
            seconds, strength = _seconds(request, codes), params.audio_cover_strength
            task = tasks.with_cover_strength(task, strength, song, encoder, seconds)
    task = replace(task, source_strength=request.source_strength, auto_mask=request.auto_mask)
    with service.vae:
        task = replace(task, source=_source_latents(service, request.source))
        timbres = _reference_latents(service, request.reference)
    if request.canvas is not None and request.keep is not None:
        task = replace(task, keep=request.keep, splice=request.canvas.splice(request.keep))
    count = max(len(timbres), len(codes))
    tasks_of_songs = [replace(task, timbre=timbres[i % len(timbres)]) for i in range(count)]
    if len(codes) <= 1:
        return tuple(tasks_of_songs)
    return tuple(replace(each, codes=own) for each, own in zip(tasks_of_songs, codes, strict=True))


def _encode_morph(request: TaskRequest, song: Song, source: Song, encoder: TextEncoder) -> Task:
    """A morph without its recording's latents."""
    if request.source is None or request.window is None:
        raise ValueError("a morph has a source and a window")
    use = MORPHED_TASKS[request.name]
    songs = tasks.SongEdit(source, song, request.window)
    return tasks.morph(songs, encoder, request.source.length, use, request.instruction)


def _encode_text(
    request: TaskRequest, song: Song, encoder: TextEncoder, codes: Sequence[AudioCodes]
) -> Task:
    """The task without its recordings' latents."""
    instruction = request.instruction
    if request.source is None:
        return tasks.text_to_music(song, encoder, codes[0] if codes else None, instruction)
    length = request.source.length
    mask = None if request.canvas is None else request.canvas.mask
    if request.name == "text2music":
        return tasks.audio_to_audio(song, encoder, length, request.source_strength, instruction)
    if request.name in (COVER, REMIX):
        return tasks.cover(song, encoder, length, request.name == COVER, instruction)
    if request.name == "extract":
        return tasks.extract(song, encoder, length, request.tracks[0], instruction)
    if request.name == "complete":
        return tasks.complete(song, encoder, length, request.tracks, instruction)
    if request.name == "lego":
        return tasks.lego(song, encoder, length, request.tracks[0], mask, instruction)
    if mask is None:
        raise ValueError("a repaint has a mask")
    return tasks.repaint(song, encoder, length, mask, instruction)


def _reference_latents(service: Service, audio: Tensor | None) -> list[Tensor | None]:
    """Latents [1, 750, C] of every song's segments; one None for no reference. Equal segments are
    encoded once, and are one tensor."""
    if audio is None:
        return [None]
    latents: list[Tensor | None] = []
    for i, segments in enumerate(audio):
        same = next((j for j in range(i) if torch.equal(audio[j], segments)), None)
        latents.append(_latents(service, segments[None]) if same is None else latents[same])
    return latents if any(each is not latents[0] for each in latents) else latents[:1]


def _source_latents(service: Service, source: SourceAudio | None) -> Tensor | None:
    """Latents [1 or B, T, C] of a source: its own, or its audio encoded."""
    if source is not None and source.latents is not None:
        return source.latents
    return _latents(service, source and source.audio)


def _latents(service: Service, audio: Tensor | None) -> Tensor | None:
    """Latents [1, T, C] of `audio`; None for None."""
    return None if audio is None else encode_audio(service.models, audio)


def _seconds(request: TaskRequest, codes: Sequence[AudioCodes]) -> float:
    """Length of the music that the text prompt names."""
    if request.source is not None:
        return request.source.seconds
    return codes[0].seconds
