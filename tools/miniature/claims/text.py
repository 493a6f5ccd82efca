"""Text to music: tempo, key and instruments as asked, both models, guidance, seeds, captions."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

import torch
from torch import Tensor

from ace_core.constants import SAMPLE_RATE
from ace_core.measure.measurement import measure
from ace_core.pipeline import Models, decode_audio
from ace_core.sampling.guidance import Guidance, GuidanceKind

from ..evaluation.likeness import kept
from ..evaluation.tempo import OCTAVES
from ..world.request import CLOSE, Request
from .asked import AsAsked, as_asked, requests
from .figure import Extent, Figure, Unit
from .music import Family, How, from_text, latent

CHANCE: Final = {  # of pieces against the requests of others, `calibration.py`
    "tempo": 0.07,
    "octaves": 0.1,
    "meter": 0.36,
    "key": 0.05,
    "instruments": 0.5,
}
POINTS: Final = 0.05  # that turbo may fall behind base
BEST: Final = 3.0  # scale of guidance


def guided(extent: Extent, scale: float = BEST) -> How:
    """The base model's way."""
    return How(extent.noise, extent.steps, Guidance(GuidanceKind.CFG, scale))


def heard(models: Models, asked: Sequence[Request], how: How) -> AsAsked:
    return as_asked(asked, from_text(models, asked, how))


def as_asked_figures(found: AsAsked, name: str, targets: Mapping[str, float]) -> list[Figure]:
    """`targets` by the field of `found`; the others are shown."""
    rows = {"tempo": "tempo", "octaves": "tempo, or half or twice of it,"}
    return [
        Figure(
            f"{rows.get(field, field)} as asked, {name}",
            getattr(found, field),
            targets.get(field),
            Unit.AUC if field == "instruments" else Unit.SHARE,
            chance=chance,
        )
        for field, chance in CHANCE.items()
    ]


def turbo(family: Family, extent: Extent) -> list[Figure]:
    found = heard(family.turbo, requests(extent), How(extent.noise))
    return as_asked_figures(found, "turbo in 8 steps", {"instruments": 0.98})


def base(family: Family, extent: Extent) -> list[Figure]:
    """The base model, and how far behind it turbo is on the same requests."""
    by_base = played_by_base(family, extent, BEST)
    by_turbo = heard(family.turbo, requests(extent.slow), How(extent.noise))
    fields = ("tempo", "key", "instruments")
    behind = max(getattr(by_base, field) - getattr(by_turbo, field) for field in fields)
    return [
        *as_asked_figures(by_base, f"base in {extent.steps} steps", {"instruments": 0.98}),
        Figure("turbo beside base: the measure that falls behind most", -behind, -POINTS),
    ]


def measured_audio(family: Family, extent: Extent) -> list[Figure]:
    """What ACE-Step Measure hears in the decoded audio, half and twice the tempo counted."""
    asked = requests(replace(extent, requests=extent.decoded))
    right = {"tempo": 0, "key": 0}
    for request, roll in zip(asked, from_text(family.turbo, asked, How(extent.noise)), strict=True):
        heard = measure(decode_audio(family.turbo, latent(roll))[0], SAMPLE_RATE)
        if heard.tempo is not None:
            ratios = [heard.tempo.bpm / request.bpm * octave for octave in OCTAVES]
            right["tempo"] += any(1 / CLOSE < ratio < CLOSE for ratio in ratios)
        right["key"] += heard.key is not None and heard.key.name == request.key
    return [
        Figure(f"{name} as Measure hears the audio", count / len(asked), chance=0.1)
        for name, count in right.items()
    ]


def guidance(family: Family, extent: Extent) -> list[Figure]:
    """That the measures rise with the scale up to its best, and fall beyond."""
    means = [found.mean for found in sweep(family, extent).values()]
    return [
        Figure(
            "guidance: what the best scale gains on none", max(means) - means[0], 0.0, chance=0.0
        ),
        Figure("guidance: what the highest scale loses", max(means) - means[-1], 0.0, chance=0.0),
    ]


def sweep(family: Family, extent: Extent) -> dict[float, AsAsked]:
    """By guidance scale of the base model."""
    return {scale: played_by_base(family, extent, scale) for scale in extent.scales}


@lru_cache(maxsize=8)  # two groups measure the best scale
def played_by_base(family: Family, extent: Extent, scale: float) -> AsAsked:
    """What the base model plays of the fewer requests, made once for a `family`."""
    return heard(family.base, requests(extent.slow), guided(extent, scale))


def seeds(family: Family, extent: Extent) -> list[Figure]:
    """The same seed is the same song; another caption or another seed is another."""
    asked = requests(extent.slow)
    how = How(extent.noise)
    rolls, again = (from_text(family.turbo, asked, how) for _ in range(2))
    other_noise = from_text(family.turbo, asked, How(extent.noise + len(asked)))
    turned = [*asked[1:], asked[0]]
    other_words = from_text(family.turbo, turned, how)
    same = [torch.equal(one, other) for one, other in zip(rolls, again, strict=True)]
    return [
        Figure("same seed, same song", sum(same) / len(same), 1.0),
        Figure("another seed: other strokes", 1 - overlap(rolls, other_noise), 0.3),
        Figure("another caption: other strokes", 1 - overlap(rolls, other_words), 0.5),
    ]


def overlap(rolls: Sequence[Tensor], others: Sequence[Tensor]) -> float:
    """Share of the strokes of all rolls that the others have, too."""
    pairs = [kept(one, other) for one, other in zip(rolls, others, strict=True)]
    return sum(same for same, _ in pairs) / max(1, sum(total for _, total in pairs))
