"""The source's own samples put back around a repainted region, with a short fade.

The VAE changes what it only passes through; outside the region the listener gets the original.
Source: repaint_waveform_splice.py of the official handler.
"""

import torch
from torch import Tensor

from ..constants import SAMPLE_RATE


def splice(audio: Tensor, source: Tensor, span: tuple[float, float], crossfade: float) -> Tensor:
    """`audio` [B, 2, N] inside `span` (seconds), `source` [B, 2, M] outside it.

    Ramps of `crossfade` seconds lie outside the span; samples beyond them are the source's, bit
    for bit. What `audio` has beyond the source's end is kept.
    """
    shared = min(audio.shape[-1], source.shape[-1])
    start, end = (min(max(int(moment * SAMPLE_RATE), 0), shared) for moment in span)
    fade = int(crossfade * SAMPLE_RATE)
    weight = torch.zeros(shared, device=audio.device, dtype=audio.dtype)  # [N]
    weight[start:end] = 1
    before, after = weight[max(start - fade, 0) : start], weight[end : end + fade]
    before.copy_(_ramp(before))
    after.copy_(_ramp(after).flip(0))
    kept = source[..., :shared].to(audio)
    mixed = weight * audio[..., :shared] + (1 - weight) * kept
    return torch.cat([mixed, audio[..., shared:]], dim=-1)


def _ramp(like: Tensor) -> Tensor:
    """Rising from above 0 to below 1, as long as `like`."""
    return torch.linspace(0, 1, like.shape[0] + 2, device=like.device, dtype=like.dtype)[1:-1]
