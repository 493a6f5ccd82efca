"""Stems and their mix: levels, places in the stereo picture, and what a mix leaves of its source.

The pan law is constant power: at the centre both sides are as they were, and at one side its
channel is 3 dB louder while the other is silent. Arithmetic only; nothing is limited or clipped.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from ..errors import InvalidAudioError, InvalidRequestError

GAIN_RANGE: Final = (-60.0, 24.0)  # dB
PAN_RANGE: Final = (-1.0, 1.0)  # left to right


@dataclass(frozen=True, slots=True, eq=False)
class Stem:
    """One track of a song, untouched; its levels are used when it is mixed.

    Raises:
        InvalidRequestError: a nameless stem, or a level out of range.
    """

    name: str
    audio: Tensor  # [1, 2, N] at 48 kHz
    gain: float = 0.0  # dB
    pan: float = 0.0
    muted: bool = False

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise InvalidRequestError("A stem has no name. Name it, as in 'vocals'.")
        for label, value, (low, high), unit in (
            ("gain", self.gain, GAIN_RANGE, " dB"),
            ("pan", self.pan, PAN_RANGE, ""),
        ):
            if not low <= value <= high:
                raise InvalidRequestError(
                    f"The {label} of {self.name!r} is {value:g}{unit}, but it goes from {low:g} to "
                    f"{high:g}{unit}. Set it inside that range."
                )

    @property
    def heard(self) -> Tensor:
        """As it sounds in the mix, [1, 2, N]."""
        if self.muted:
            return torch.zeros_like(self.audio)
        sides = torch.tensor(balance(self.pan), device=self.audio.device, dtype=torch.float64)
        factors = sides * 10 ** (self.gain / 20)
        return self.audio * factors.to(self.audio.dtype)[:, None]


def balance(pan: float) -> tuple[float, float]:
    """Factors of the left and of the right channel; their squares always add up to 2."""
    if pan == 0:
        return 1.0, 1.0
    angle = (pan + 1) * math.pi / 4
    return math.sqrt(2) * math.cos(angle), math.sqrt(2) * math.sin(angle)


def mixdown(stems: Sequence[Stem]) -> Tensor:
    """The sum of what is heard, [1, 2, N], as long as the longest stem.

    Raises:
        InvalidRequestError: there are no stems.
    """
    if not stems:
        raise InvalidRequestError("There are no stems to mix. Make or add at least one.")
    first = stems[0].audio
    mixed = first.new_zeros(*first.shape[:-1], max(stem.audio.shape[-1] for stem in stems))
    for stem in stems:
        mixed[..., : stem.audio.shape[-1]] += stem.heard.to(mixed)
    return mixed


def null_db(mix: Tensor, source: Tensor) -> float:
    """Level of `source` minus `mix`, both [1, 2, N], against the source, in dB, over their shared
    length; -inf where nothing is left.

    Raises:
        InvalidAudioError: the source is silent, so that nothing can be compared with it.
    """
    shared = min(mix.shape[-1], source.shape[-1])
    wanted = source[..., :shared].double()
    power = wanted.square().mean().item()
    if power == 0:
        raise InvalidAudioError("The source is silent, so nothing can be nulled against it.")
    left = (wanted - mix[..., :shared].to(wanted)).square().mean().item()
    return 10 * math.log10(left / power) if left else -math.inf


def rest_of(source: Tensor, stems: Sequence[Stem]) -> Tensor:
    """What the untouched stems leave of `source` [1, 2, N]; both together are the source."""
    plain = mixdown([replace(stem, gain=0.0, pan=0.0, muted=False) for stem in stems])
    rest = source.clone()
    shared = min(rest.shape[-1], plain.shape[-1])
    rest[..., :shared] -= plain[..., :shared].to(rest)
    return rest


def named(stems: Sequence[Stem], name: str) -> int:
    """The place of the stem of that name.

    Raises:
        InvalidRequestError: there is none.
    """
    names = [stem.name for stem in stems]
    if name.strip() not in names:
        raise InvalidRequestError(
            f"There is no stem {name!r} among {', '.join(names) or 'none'}. Choose one of those."
        )
    return names.index(name.strip())


def joined(stems: Sequence[Stem], more: Sequence[Stem]) -> tuple[Stem, ...]:
    """Both, one after the other.

    Raises:
        InvalidRequestError: two stems have the same name, so that neither could be chosen.
    """
    both = (*stems, *more)
    names = [stem.name for stem in both]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise InvalidRequestError(
            f"There are two stems named {', '.join(map(repr, twice))}. Give each its own name."
        )
    return both
