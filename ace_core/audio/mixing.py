"""Stems and their mix: gain, pan, and the residual of a mix against its source.

The pan law is constant power: both gains are 1 at the centre; at one side its channel is 3 dB
louder and the other silent. Nothing is limited or clipped.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from ..errors import InvalidAudioError, InvalidRequestError
from ..parsing import quoted
from ..texts import shown, text_fault

GAIN_RANGE: Final = (-60.0, 24.0)  # dB
PAN_RANGE: Final = (-1.0, 1.0)  # left to right


@dataclass(frozen=True, slots=True, eq=False)
class Stem:
    """One track of a song and its mix settings; the audio itself stays unscaled.

    Raises:
        InvalidRequestError: a name that is empty or no text for files; a gain or pan out of range.
    """

    name: str
    audio: Tensor  # [1, 2, N] at 48 kHz
    gain: float = 0.0  # dB
    pan: float = 0.0
    muted: bool = False

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InvalidRequestError("A stem has no name. Name it, as in 'vocals'.")
        if fault := text_fault(self.name):
            raise InvalidRequestError(f"The stem's name {shown(self.name)!r} {fault}. Remove it.")
        for label, value, (low, high), unit in (
            ("gain", self.gain, GAIN_RANGE, " dB"),
            ("pan", self.pan, PAN_RANGE, ""),
        ):
            if not low <= value <= high:
                raise InvalidRequestError(
                    f"The {label} of {quoted(self.name)} is {value:g}{unit}, but it goes from "
                    f"{low:g} to {high:g}{unit}. Set it inside that range."
                )

    @property
    def in_mix(self) -> Tensor:
        """The audio with gain, pan and mute applied, [1, 2, N]."""
        if self.muted:
            return torch.zeros_like(self.audio)
        gains = torch.tensor(pan_gains(self.pan), device=self.audio.device, dtype=torch.float64)
        factors = gains * 10 ** (self.gain / 20)
        return self.audio * factors.to(self.audio.dtype)[:, None]


def pan_gains(pan: float) -> tuple[float, float]:
    """Gains of the left and the right channel; their squares add up to 2."""
    if pan == 0:
        return 1.0, 1.0
    angle = (pan + 1) * math.pi / 4
    return math.sqrt(2) * math.cos(angle), math.sqrt(2) * math.sin(angle)


def mixdown(stems: Sequence[Stem]) -> Tensor:
    """The sum of the stems as set, [1, 2, N], as long as the longest one.

    Raises:
        InvalidRequestError: there are no stems.
    """
    if not stems:
        raise InvalidRequestError("There are no stems to mix. Make or add at least one.")
    first = stems[0].audio
    mixed = first.new_zeros(*first.shape[:-1], max(stem.audio.shape[-1] for stem in stems))
    for stem in stems:
        mixed[..., : stem.audio.shape[-1]] += stem.in_mix.to(mixed)
    return mixed


def null_db(mix: Tensor, source: Tensor) -> float:
    """Level of `source` - `mix`, both [1, 2, N], relative to the source, in dB, over their shared
    length; -inf where they are equal.

    Raises:
        InvalidAudioError: the source is silent, so that nothing can be compared with it.
    """
    shared = min(mix.shape[-1], source.shape[-1])
    target = source[..., :shared].double()
    power = target.square().mean().item()
    if power == 0:
        raise InvalidAudioError("The source is silent, so nothing can be nulled against it.")
    error = (target - mix[..., :shared].to(target)).square().mean().item()
    return 10 * math.log10(error / power) if error else -math.inf


def residual_of(source: Tensor, stems: Sequence[Stem]) -> Tensor:
    """`source` [1, 2, N] minus the unscaled stems; with them it adds up to the source."""
    plain = mixdown([replace(stem, gain=0.0, pan=0.0, muted=False) for stem in stems])
    rest = source.clone()
    shared = min(rest.shape[-1], plain.shape[-1])
    rest[..., :shared] -= plain[..., :shared].to(rest)
    return rest


def stem_index(stems: Sequence[Stem], name: str) -> int:
    """Index of the stem called `name`.

    Raises:
        InvalidRequestError: there is no such stem.
    """
    names = [stem.name for stem in stems]
    if name.strip() not in names:
        raise InvalidRequestError(
            f"There is no stem {quoted(name)} among {', '.join(names) or 'none'}. Choose one of "
            "those."
        )
    return names.index(name.strip())


def join_stems(stems: Sequence[Stem], more: Sequence[Stem]) -> tuple[Stem, ...]:
    """`stems` followed by `more`.

    Raises:
        InvalidRequestError: two stems have the same name.
    """
    both = (*stems, *more)
    names = [stem.name for stem in both]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidRequestError(
            f"There are two stems named {', '.join(map(repr, twice))}. Give each its own name."
        )
    return both
