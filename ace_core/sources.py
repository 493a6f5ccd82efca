"""Source audio on the canvas of its task, checked before anything heavy.

A source, a region or a batch of codes that cannot be used is refused here.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

from torch import Tensor

from .audio.waveform import pad_audio, seconds_of_audio, sources_audio
from .constants import LATENT_CHANNELS, LONGEST_SECONDS
from .errors import InvalidRequestError
from .latents import check_finite
from .sampling.repaint import region
from .task import Length, Preservation, Span, Splice, source_length
from .timing import frames_in
from .types import AudioCodes


@dataclass(frozen=True, slots=True, eq=False)
class SourceAudio:
    """A checked source in the models' form."""

    audio: Tensor  # [B, 2, N] at 48 kHz, padding included: one for all songs, or one per song
    seconds: float  # of the music itself
    songs: int = 1  # how many to make
    latents: Tensor | None = None  # [1 or B, T, 64] that it was decoded from; None: encode it

    @property
    def length(self) -> Length:
        """The length of a task on this source."""
        return source_length(frames_in(self.audio.shape[-1]), self.seconds)


def prepare_source(waveform: Tensor, rate: int, batch: int = 1) -> SourceAudio:
    """One source for `batch` songs, or one per song.

    Raises:
        InvalidAudioError: `waveform` [B, C, N] cannot be a source.
        InvalidRequestError: several sources, but another number of songs.
    """
    audio = sources_audio(waveform, rate)
    count = len(audio)
    if count > 1 and batch not in (1, count):
        raise InvalidRequestError(
            f"The source has {count} items, one per song, but a batch of {batch} is "
            f"asked for. Set `batch_size` to 1 or {count}."
        )
    return SourceAudio(audio, seconds_of_audio(audio), max(count, batch))


@dataclass(frozen=True, slots=True, eq=False)
class RepaintCanvas:
    """A source on a canvas that may be longer, and the regions of new music."""

    source: SourceAudio
    mask: Tensor  # [1, T, 1]
    spans: Sequence[Span]

    def splice(self, keep: Preservation) -> Splice | None:
        """The source's samples around the new music, where `keep` has an audio blend."""
        if keep.audio_blend is None:
            return None
        decoded = self.source.latents is not None
        return Splice(self.source.audio, self.spans, keep.audio_blend, at_its_level=decoded)


def with_latents(canvas: RepaintCanvas, latents: Tensor, counts: Sequence[int]) -> RepaintCanvas:
    """`canvas` with the latents [B, T, C] that its source was decoded from, in place of encoding
    it; B is one of `counts`.

    Raises:
        InvalidRequestError: they are not finite, or not as many or as long as the source.
    """
    frames = canvas.source.length.music_frames
    if latents.dim() != 3 or latents.shape[1:] != (frames, LATENT_CHANNELS):
        raise InvalidRequestError(
            f"The latents of the source have the shape {list(latents.shape)}, but its audio on the "
            f"canvas of this repaint needs [batch, {frames}, {LATENT_CHANNELS}] (batch, frames, "
            "channels). Give the latents that this audio was decoded from, and a region inside it; "
            "to extend it leave them out."
        )
    if len(latents) not in counts:
        raise InvalidRequestError(
            f"There are latents for {len(latents)} sources, but "
            f"{' or '.join(map(str, sorted(set(counts))))} can be used. Pick those of the source."
        )
    check_finite(latents, "source's latent")
    return replace(canvas, source=replace(canvas.source, latents=latents))


def with_own_latents(source: SourceAudio, latents: Tensor) -> SourceAudio:
    """`source` with the latents [B, T, C] that its sound was decoded from; as it is where they are
    not as many or as long: a lossy file may hold some samples more."""
    wanted = (len(source.audio), source.length.music_frames, LATENT_CHANNELS)
    return replace(source, latents=latents) if latents.shape == wanted else source


def place_region(source: SourceAudio, start: float, end: float | None) -> RepaintCanvas:
    """New music from `start` to `end` seconds of the source; None ends with it.

    Raises:
        InvalidRequestError: a region that does not fit the source.
    """
    part = region(start, end, source.audio.shape[-1])
    longer = part.pad_left > 0 or part.pad_right > 0
    audio = pad_audio(source.audio, part.pad_left, part.pad_right)
    whole = replace(source, audio=audio, latents=None if longer else source.latents)
    return RepaintCanvas(whole, part.mask(whole.length.frames), [(part.start, part.end)])


def check_variations(codes: Sequence[AudioCodes]) -> None:
    """
    Raises:
        InvalidRequestError: variations of different lengths, or longer than the models play.
    """
    lengths = sorted({each.seconds for each in codes})
    if len(lengths) > 1:
        raise InvalidRequestError(
            f"The variations are {lengths[0]:g} to {lengths[-1]:g} seconds long, but one batch has "
            "one length. Set the song's length before composing, or slice the codes."
        )
    if lengths and lengths[0] > LONGEST_SECONDS:
        raise InvalidRequestError(
            f"The codes are {lengths[0]:g} seconds long, but the models play at most "
            f"{LONGEST_SECONDS:g}. Slice the codes."
        )
