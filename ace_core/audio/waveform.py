"""Waveforms: into the model's rate and channels, and the levels of what comes out.

Everything here takes and returns [B, C, N] and leaves its input alone; nothing knows files, nodes
or models.
Source: audio ingestion and post-processing of the official handler.
"""

import logging
from typing import Final

import torch
from torch import Tensor

from ..constants import CHANNELS, SAMPLE_RATE
from ..errors import InvalidAudioError
from .resample import resample

SILENCE: Final = 1e-6  # a waveform that never exceeds this is silent

logger = logging.getLogger(__name__)


def model_audio(waveform: Tensor, rate: int) -> Tensor:
    """Audio as the models hear it: stereo, 48 kHz, within [-1, 1], [B, 2, N].

    Mono is doubled; of more channels the first two are kept; what exceeds full scale is cut, as
    the official ingestion does. The latter two are said in the log.

    Raises:
        InvalidAudioError: not [batch, channels, samples], empty, not finite, or of no rate.
    """
    check(waveform, rate)
    stereo = resample(_stereo(waveform.float()), rate, SAMPLE_RATE)
    over = int((stereo.abs() > 1).sum())
    if over:
        logger.warning(
            "%d of the audio's %d samples exceed full scale and are cut to it, as in the official "
            "code. Lower the audio's level to avoid this.",
            over,
            stereo.numel(),
        )
    return stereo.clamp(-1, 1)


def check(waveform: Tensor, rate: int) -> None:
    """Refuse what is not audio.

    Raises:
        InvalidAudioError: says what is wrong with it.
    """
    shape = list(waveform.shape)
    if waveform.dim() != 3:
        raise InvalidAudioError(
            f"The waveform has shape {shape}, but audio is [batch, channels, samples]."
        )
    if waveform.numel() == 0:
        raise InvalidAudioError(
            f"The audio is empty (shape {shape}). Give a clip with sound in it."
        )
    if rate <= 0:
        raise InvalidAudioError(
            f"{rate} Hz is not a sample rate. Audio of {SAMPLE_RATE} Hz is best."
        )
    broken = int((~torch.isfinite(waveform)).sum())
    if broken:
        raise InvalidAudioError(
            f"{broken} of the audio's {waveform.numel()} samples are NaN or infinite. "
            "Decode or load it again."
        )


def silent(waveform: Tensor) -> bool:
    """Whether there is nothing to hear in any item."""
    return bool((waveform.abs() < SILENCE).all())


def limit_peak(audio: Tensor) -> Tensor:
    """Each item that exceeds full scale divided by its own peak; the others as they are."""
    peaks = _peaks(audio)
    return audio if bool((peaks <= 1).all()) else audio / peaks.clamp(min=1)


def _peaks(audio: Tensor) -> Tensor:
    """The loudest sample of each item, [B, 1, 1]."""
    return audio.abs().amax(dim=(1, 2), keepdim=True)


def _stereo(waveform: Tensor) -> Tensor:
    channels = waveform.shape[1]
    if channels > CHANNELS:
        logger.warning("The audio has %d channels; the models hear the first two.", channels)
    return waveform.expand(-1, CHANNELS, -1) if channels == 1 else waveform[:, :CHANNELS]
