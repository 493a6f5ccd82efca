"""AUDIO as the nodes of a host hand it over: a table of a waveform and its rate."""

import math
import operator
from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor

from ..errors import InvalidAudioError
from ..parsing import quoted
from .waveform import check_waveform

_FULL_SCALES: Final = {torch.int8: 2**7, torch.int16: 2**15, torch.int32: 2**31}
_MEANT: Final = "Connect the audio output of a loader, or convert it."


def unpack_audio(audio: Any) -> tuple[Tensor, int]:
    """The waveform of an AUDIO as float32 [B, C, N], and its rate in Hz.

    Samples [N] and [C, N] are one item, integers are scaled to full scale 1 (as torchaudio and
    soundfile scale them), and a float that is a whole rate is that rate.

    Raises:
        InvalidAudioError: it has no waveform or no whole rate, or its waveform cannot be used.
    """
    if not isinstance(audio, Mapping):
        raise InvalidAudioError(
            f"The audio is a {type(audio).__name__}, not a table with `waveform` and "
            f"`sample_rate`. {_MEANT}"
        )
    waveform, rate = audio.get("waveform"), whole_rate(audio.get("sample_rate"))
    if not isinstance(waveform, Tensor):
        raise InvalidAudioError(
            f"The audio's `waveform` is a {type(waveform).__name__}, not a tensor. {_MEANT}"
        )
    if waveform.is_nested or waveform.layout != torch.strided or waveform.is_meta:
        raise InvalidAudioError(
            f"The audio's `waveform` is {_kind(waveform)}, without samples in a row. {_MEANT}"
        )
    if waveform.dim() in (1, 2):  # [N], or torchaudio's [C, N]
        waveform = waveform.reshape(1, -1, waveform.shape[-1]) if waveform.numel() else waveform
    waveform = _as_floats(waveform.detach())
    check_waveform(waveform, rate)
    return waveform, rate


def whole_rate(rate: Any) -> int:
    """A sample rate as a whole number.

    Raises:
        InvalidAudioError: it is none.
    """
    whole = isinstance(rate, float) and math.isfinite(rate) and rate == int(rate)
    number: Any = int(rate) if whole else rate
    try:
        if isinstance(rate, bool):
            raise TypeError
        return operator.index(number)
    except (TypeError, ValueError, RuntimeError):
        raise InvalidAudioError(
            f"The audio's `sample_rate` is {quoted(rate)}, not a whole number of Hz. {_MEANT}"
        ) from None


def _as_floats(waveform: Tensor) -> Tensor:
    if waveform.dtype is torch.uint8:  # 128 is zero
        return (waveform.float() - 128) / 128
    full = _FULL_SCALES.get(waveform.dtype)
    if full is not None:
        return waveform.float() / full
    return waveform.float() if waveform.is_floating_point() else waveform


def _kind(tensor: Tensor) -> str:
    """What a tensor is whose samples cannot be read."""
    if tensor.is_nested:
        return "a nested tensor"
    return "a tensor without data (meta)" if tensor.is_meta else f"a {tensor.layout} tensor"
