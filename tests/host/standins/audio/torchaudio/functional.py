"""Resampling with a sinc of six zero crossings under a squared cosine, as torchaudio's default."""

import math

import torch
from torch.nn import functional

_CROSSINGS = 6
_ROLLOFF = 0.99  # of the lower Nyquist frequency


def resample(waveform: torch.Tensor, orig_freq: int, new_freq: int) -> torch.Tensor:
    """[..., N] at one rate to [..., ceil(N * new / old)] at another."""
    common = math.gcd(int(orig_freq), int(new_freq))
    old, new = int(orig_freq) // common, int(new_freq) // common
    if old == new:
        return waveform
    kernel, reach = _kernel(old, new)
    length = waveform.shape[-1]
    flat = functional.pad(waveform.reshape(-1, 1, length), (reach, reach + old))
    phases = functional.conv1d(flat, kernel.to(waveform), stride=old)  # [B, new, N / old]
    samples = phases.transpose(1, 2).flatten(1)[:, : math.ceil(new * length / old)]
    return samples.reshape(*waveform.shape[:-1], -1)


def _kernel(old: int, new: int) -> tuple[torch.Tensor, int]:
    """One filter a phase [new, 1, 2 * reach + old], and how many samples it looks back."""
    cutoff = min(old, new) * _ROLLOFF
    reach = math.ceil(_CROSSINGS * old / cutoff)
    taps = torch.arange(-reach, reach + old, dtype=torch.float64) / old
    phases = -torch.arange(new, dtype=torch.float64) / new
    time = ((phases[:, None] + taps[None]) * cutoff).clamp(-_CROSSINGS, _CROSSINGS)
    window = torch.cos(time * math.pi / _CROSSINGS / 2) ** 2
    return (torch.sinc(time) * window * cutoff / old)[:, None], reach
