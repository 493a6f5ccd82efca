"""Waveforms: resampled and brought to the models' form, checked as sources, limited in level.

Everything takes and returns [B, C, N] and leaves its input alone. Nothing here
depends on files or models.
Source: audio ingestion and post-processing of the official handler.
"""

import logging
import math
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ..constants import BATCH_RANGE, CHANNELS, CODE_RATE, LATENT_HOP, LONGEST_SECONDS, SAMPLE_RATE
from ..errors import InvalidAudioError
from ..parsing import quoted

RATE_RANGE: Final = (1_000, 768_000)  # Hz; a rate far below speech's would grow 48,000-fold
LONGEST_AUDIO: Final = 3_600.0  # seconds of what is converted; an hour of 48 kHz stereo is 1.4 GB
MOST_CHANNELS: Final = 64  # more are samples in the place of channels
SILENCE: Final = 1e-6  # a waveform that never exceeds this is silent

logger = logging.getLogger(__name__)


def model_audio(waveform: Tensor, rate: int) -> Tensor:
    """Audio as the models take it: stereo, 48 kHz, within [-1, 1], [B, 2, N].

    Mono is doubled; surround sound is mixed down (see `downmixed`); samples beyond full scale are
    clipped, as in the official ingestion. The latter two log a warning.

    Raises:
        InvalidAudioError: see `check_waveform`; or longer than `LONGEST_AUDIO`.
    """
    check_waveform(waveform, rate)
    seconds = waveform.shape[-1] / rate
    if seconds > LONGEST_AUDIO:
        raise InvalidAudioError(
            f"The audio is {seconds:.0f} seconds long, but at most {LONGEST_AUDIO:g} are converted "
            f"to {SAMPLE_RATE} Hz. Give a shorter clip, or check its sample rate of {rate} Hz."
        )
    stereo = resample(_stereo(waveform.float()), rate, SAMPLE_RATE)
    over = int((stereo.abs() > 1).sum())
    if over:
        logger.warning(
            "%d of the audio's %d samples exceed full scale and are clipped, as in the official "
            "code. Lower the audio's level to avoid this.",
            over,
            stereo.numel(),
        )
    return stereo.clamp(-1, 1)


def check_waveform(waveform: Tensor, rate: int) -> None:
    """
    Raises:
        InvalidAudioError: not [batch, channels, samples], no floats, empty, not finite, or a rate
            outside `RATE_RANGE`.
    """
    shape = list(waveform.shape)
    if waveform.dim() != 3:
        raise InvalidAudioError(
            f"The waveform has shape {shape}, but audio is [batch, channels, samples]."
        )
    if not waveform.is_floating_point():
        raise InvalidAudioError(
            f"The waveform is in {waveform.dtype}, but audio is in floats from -1 to 1. Convert it."
        )
    if waveform.numel() == 0:
        raise InvalidAudioError(
            f"The audio is empty (shape {shape}). Give a clip with sound in it."
        )
    if waveform.shape[1] > MOST_CHANNELS:
        raise InvalidAudioError(
            f"The audio has {waveform.shape[1]} channels (shape {shape}), but at most "
            f"{MOST_CHANNELS} are read. Audio is [batch, channels, samples]."
        )
    check_rate(rate)
    broken = int((~torch.isfinite(waveform)).sum())
    if broken:
        raise InvalidAudioError(
            f"{broken} of the audio's {waveform.numel()} samples are NaN or infinite. "
            "Decode or load it again."
        )


def check_rate(rate: int) -> None:
    """
    Raises:
        InvalidAudioError: `rate` is outside `RATE_RANGE`.
    """
    lowest, highest = RATE_RANGE
    if not lowest <= rate <= highest:
        raise InvalidAudioError(
            f"{quoted(rate)} Hz is not a sample rate: {lowest} to {highest} are read. Audio of "
            f"{SAMPLE_RATE} Hz is best."
        )


def is_silent(waveform: Tensor) -> bool:
    """Whether no sample of any item reaches `SILENCE`."""
    return bool((waveform.abs() < SILENCE).all())


def limit_peak(audio: Tensor) -> Tensor:
    """Each item whose peak exceeds 1, divided by that peak; the others unchanged."""
    peaks = _peaks(audio)
    return audio if bool((peaks <= 1).all()) else audio / peaks.clamp(min=1)


def at_peak(audio: Tensor, decibels: float) -> Tensor:
    """Each item scaled so that its peak is `decibels` of full scale; a silent one is not."""
    peaks = _peaks(audio)
    gain = torch.where(peaks < SILENCE, 1.0, 10 ** (decibels / 20) / peaks.clamp(min=SILENCE))
    return audio * gain


def faded(audio: Tensor, fade_in: float, fade_out: float, rate: int = SAMPLE_RATE) -> Tensor:
    """`audio` with linear ramps of `fade_in` and `fade_out` seconds, at most its length."""
    if not fade_in and not fade_out:
        return audio
    samples = audio.shape[-1]
    gain = torch.ones(samples, dtype=audio.dtype, device=audio.device)
    first, last = (min(round(seconds * rate), samples) for seconds in (fade_in, fade_out))
    gain[:first] *= torch.linspace(0, 1, first).to(gain)
    gain[samples - last :] *= torch.linspace(1, 0, last).to(gain)
    return audio * gain


def _peaks(audio: Tensor) -> Tensor:
    """Largest magnitude of each item, [B, 1, 1]."""
    return audio.abs().amax(dim=(1, 2), keepdim=True)


def _stereo(waveform: Tensor) -> Tensor:
    channels = waveform.shape[1]
    if channels == 1:
        return waveform.expand(-1, CHANNELS, -1)
    note = channels_note(channels)
    if note is not None:
        logger.warning("The audio %s.", note)
    return downmixed(waveform) if channels in SURROUND else waveform[:, :CHANNELS]


def channels_note(channels: int) -> str | None:
    """What becomes of more than two channels; None where there are none."""
    if channels <= CHANNELS:
        return None
    if channels in SURROUND:
        return f"has {channels} channels, which are mixed down to stereo"
    return f"has {channels} channels, of which the models take the first two"


_SIDE: Final = 0.5**0.5  # -3 dB: of the centre in both channels, of a surround in its own
_LEFT, _RIGHT, _CENTRE, _LOW = (1.0, 0.0), (0.0, 1.0), (_SIDE, _SIDE), (0.0, 0.0)
_BACK_LEFT, _BACK_RIGHT, _BACK = (_SIDE, 0.0), (0.0, _SIDE), (0.5, 0.5)
SURROUND: Final = {  # gains to left and right, in the order that WAV, FLAC and FFmpeg have
    3: (_LEFT, _RIGHT, _CENTRE),
    4: (_LEFT, _RIGHT, _BACK_LEFT, _BACK_RIGHT),
    5: (_LEFT, _RIGHT, _CENTRE, _BACK_LEFT, _BACK_RIGHT),
    6: (_LEFT, _RIGHT, _CENTRE, _LOW, _BACK_LEFT, _BACK_RIGHT),
    7: (_LEFT, _RIGHT, _CENTRE, _LOW, _BACK, _BACK_LEFT, _BACK_RIGHT),
    8: (_LEFT, _RIGHT, _CENTRE, _LOW, _BACK_LEFT, _BACK_RIGHT, _BACK_LEFT, _BACK_RIGHT),
}


def downmixed(waveform: Tensor) -> Tensor:
    """Surround sound [B, C, N] of 3 to 8 channels in stereo, an item that gets too loud brought to
    full scale. The centre, where a voice sits, and the surrounds are 3 dB lower; the low-frequency
    channel is left out. Source: ITU-R BS.775, annex 4.
    """
    gains = waveform.new_tensor(SURROUND[waveform.shape[1]])  # [C, 2]
    mixed = torch.einsum("bcn,cs->bsn", waveform, gains)
    return mixed if bool((waveform.abs() > 1).any()) else limit_peak(mixed)


SHORTEST_SOURCE: Final = 1 / CODE_RATE  # seconds: one audio code


def source_audio(waveform: Tensor, rate: int, name: str = "source", most: int = 1) -> Tensor:
    """`waveform` [B, C, N] checked and as the models take it, [B, 2, N] at 48 kHz; `name` is for
    messages.

    Raises:
        InvalidAudioError: not audio, more than `most` items, a silent item, or a length that
            cannot be used.
    """
    check_waveform(waveform, rate)
    count = waveform.shape[0]
    if count > most:
        takes = "one song starts from one" if most == 1 else f"at most {most} are made at once"
        raise InvalidAudioError(
            f"The {name} has {count} items, but {takes}. Pick some of them first."
        )
    seconds = waveform.shape[-1] / rate
    if not SHORTEST_SOURCE <= seconds <= LONGEST_SECONDS:
        raise InvalidAudioError(
            f"The {name} is {seconds:.2f} seconds long, but the models take {SHORTEST_SOURCE:g} to "
            f"{LONGEST_SECONDS:g}. Give a clip of a length in between."
        )
    for item, clip in enumerate(waveform.split(1), start=1):
        if is_silent(clip):
            which = name if count == 1 else f"{name}'s item {item} of {count}"
            raise InvalidAudioError(f"The {which} is silent. Give a clip with sound in it.")
    return model_audio(waveform, rate)


def sources_audio(waveform: Tensor, rate: int) -> Tensor:
    """One source for all songs of a batch, or one per song, [B, 2, N] at 48 kHz.

    Raises:
        InvalidAudioError: see `source_audio`.
    """
    return source_audio(waveform, rate, most=BATCH_RANGE[1])


def pad_audio(audio: Tensor, left: int, right: int) -> Tensor:
    """`audio` [B, 2, N] with `left` and `right` samples of digital silence around it."""
    padded = audio.new_zeros(*audio.shape[:-1], left + audio.shape[-1] + right)
    padded[..., left : left + audio.shape[-1]] = audio
    return padded


def without_padding(audio: Tensor, frames: int) -> Tensor:
    """48 kHz audio [..., N] without the last `frames` latent frames."""
    return audio[..., : audio.shape[-1] - frames * LATENT_HOP]


def seconds_of_audio(audio: Tensor) -> float:
    """Playing time of 48 kHz audio [B, 2, N]."""
    return audio.shape[-1] / SAMPLE_RATE


ZERO_CROSSINGS: Final = 6  # of the sinc on each side
ROLLOFF: Final = 0.99  # cutoff as a part of the lower Nyquist frequency
LARGEST_KERNEL: Final = 2**26  # numbers; rates with no common divisor would need gigabytes


def resample(audio: Tensor, rate: int, new_rate: int) -> Tensor:
    """Audio [B, C, N] at `rate` Hz to [B, C, ceil(N * new_rate / rate)], by a windowed sinc.

    The values are those of torchaudio's Resample with its defaults, which the official code uses;
    written here because nothing else would need that package.

    Raises:
        InvalidAudioError: the two rates have too small a common divisor.
    """
    divisor = math.gcd(rate, new_rate)
    old, new = rate // divisor, new_rate // divisor
    if old == new:
        return audio
    width = math.ceil(ZERO_CROSSINGS * old / (min(old, new) * ROLLOFF))
    if new * (2 * width + old) > LARGEST_KERNEL:
        raise InvalidAudioError(
            f"{rate} Hz cannot be resampled to {new_rate} Hz: their common divisor is only "
            f"{divisor}. Convert the file to a usual rate (44100, 48000, 96000) first."
        )
    items, channels, samples = audio.shape
    rows = F.pad(audio.reshape(items * channels, 1, samples), (width, width + old))
    phases = F.conv1d(rows, _kernel(old, new, width).to(audio), stride=old)  # [B * C, new, N']
    resampled = phases.transpose(1, 2).reshape(items, channels, -1)
    return resampled[..., : math.ceil(samples * new / old)]


def _kernel(old: int, new: int, width: int) -> Tensor:
    """One filter per phase: `new` output samples for `old` input samples, [new, 1, taps]."""
    cutoff = min(old, new) * ROLLOFF
    taps = torch.arange(-width, width + old, dtype=torch.float64) / old
    phases = torch.arange(new, dtype=torch.float64) / new
    time = (taps[None] - phases[:, None]) * cutoff  # [new, taps], in zero crossings
    time = time.clamp(-ZERO_CROSSINGS, ZERO_CROSSINGS)
    window = torch.cos(time * math.pi / ZERO_CROSSINGS / 2).square()
    return (torch.sinc(time) * window * (cutoff / old))[:, None]
