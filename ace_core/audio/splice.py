"""The source's samples restored around a repainted region, with a short crossfade.

Outside the region the decoded audio differs from the source by the error of the VAE.
Source: repaint_waveform_splice.py of the official handler.
"""

import logging
from typing import Final

import torch
from torch import Tensor

from ..constants import LATENT_HOP, SAMPLE_RATE
from ..task import Span, Splice
from .waveform import SILENCE, limit_peak

ALIKE: Final = 0.9  # correlation from which two recordings are one at different levels

logger = logging.getLogger(__name__)


def splice(audio: Tensor, kept: Splice) -> Tensor:
    """`audio` [B, 2, N] inside the spans of `kept`, the source [1 or B, 2, M] outside them.

    Ramps of `crossfade` seconds lie outside each span; samples beyond them are the source's, bit
    for bit. Where two ramps overlap, the larger value counts. `audio` is kept after the source's
    end, and the source's last samples, which fill no latent frame, after the end of `audio`. Where
    `kept` says so, it is brought to the source's level first: a saved take may have been normalised
    after it was decoded.
    """
    shared = min(audio.shape[-1], kept.audio.shape[-1])
    weight = torch.zeros(shared, device=audio.device, dtype=audio.dtype)  # [N]
    for span in kept.spans:
        _add_span(weight, span, int(kept.crossfade * SAMPLE_RATE))
    source = kept.audio[..., :shared].to(audio)
    if kept.at_its_level:
        audio = limit_peak(audio * _level_gains(audio[..., :shared], source, weight == 0))
    mixed = weight * audio[..., :shared] + (1 - weight) * source
    rest = _rest(kept, weight).to(audio).expand(len(audio), -1, -1)
    return torch.cat([mixed, audio[..., shared:], rest], dim=-1)


def _rest(kept: Splice, weight: Tensor) -> Tensor:
    """The samples of the source after those of `weight` [N]: a latent frame that is not full, where
    the source is heard up to it."""
    rest = kept.audio[..., len(weight) :]
    heard = len(weight) > 0 and weight[-1] == 0 and rest.shape[-1] < LATENT_HOP
    return rest if heard else rest[..., :0]


def _level_gains(audio: Tensor, source: Tensor, outside: Tensor) -> Tensor:
    """What brings `audio` [B, 2, N] to the level of `source` [1 or B, 2, N], [B, 1, 1], by the
    samples `outside` [N] of the new music; 1 with a warning where they differ in more than level.
    """
    both = ((audio, audio), (source, source), (audio, source))
    sums = [((a * b) * outside).sum(dim=(1, 2), keepdim=True) for a, b in both]
    own, theirs, shared = torch.broadcast_tensors(*sums)
    heard = torch.minimum(own, theirs) > SILENCE
    alike = heard & (shared >= ALIKE * (own * theirs).sqrt())
    if bool((heard & ~alike).any()):
        logger.warning(
            "What the repaint keeps does not sound like its source, so their levels are not "
            "matched. Connect the latent that the source was decoded from, or none."
        )
    return torch.where(alike, shared / own.clamp(min=SILENCE), 1.0)


def _add_span(weight: Tensor, span: Span, fade: int) -> None:
    """Raise `weight` [N] to 1 inside `span` and to a ramp of `fade` samples on both sides."""
    start, end = (min(max(int(second * SAMPLE_RATE), 0), len(weight)) for second in span)
    weight[start:end] = 1
    before, after = weight[max(start - fade, 0) : start], weight[end : end + fade]
    before.copy_(torch.maximum(before, _ramp(before)))
    after.copy_(torch.maximum(after, _ramp(after).flip(0)))


def _ramp(like: Tensor) -> Tensor:
    """Rising from above 0 to below 1, as long as `like`."""
    return torch.linspace(0, 1, like.shape[0] + 2, device=like.device, dtype=like.dtype)[1:-1]
