"""Audio codes: what of a piece comes back from them, by themselves and played by the model."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ace_core.conditioning.context import code_hints
from ace_core.pipeline import Models, encode_codes
from ace_core.types import AudioCodes

from ..evaluation.likeness import kept, rhythm
from ..evaluation.strokes import roll_of
from ..world.channels import STEMS
from .asked import requests
from .figure import Extent, Figure, Unit
from .music import Family, How, from_text, latent, truths


def codes(family: Family, extent: Extent) -> list[Figure]:
    """A code of the family says when, which drum, which bass note and which note of the tune."""
    asked = requests(extent)
    pieces = truths(asked)
    written = [codes_of(family.turbo, piece) for piece in pieces]
    hints = [
        hinted(family.turbo, each)[: len(piece)]
        for each, piece in zip(written, pieces, strict=True)
    ]
    made = from_text(family.turbo, asked, How(extent.noise), written)
    alike = [rhythm(piece, roll) for piece, roll in zip(pieces, made, strict=True)]
    return [
        *_recalled("codes", pieces, hints, ("synth", "bass")),
        *_recalled("codes played", pieces, made, ("synth", "bass", "drums")),
        Figure("codes played: rhythm", sum(alike) / len(alike), unit=Unit.NUMBER, chance=0.15),
    ]


def _recalled(
    name: str, pieces: Sequence[Tensor], found: Sequence[Tensor], held: Sequence[str]
) -> list[Figure]:
    """The strokes of each stem that come back; `held` are those that have a target."""
    return [
        Figure(
            f"{name}: {stem} that comes back",
            recall(pieces, found, stem),
            0.9 if stem in held else None,
            chance=0.1,
        )
        for stem in STEMS
    ]


def codes_of(models: Models, roll: Tensor) -> AudioCodes:
    (found,) = encode_codes(models, latent(roll))
    return found


@torch.inference_mode()
def hinted(models: Models, written: AudioCodes) -> Tensor:
    """The roll [T, 64] that codes stand for."""
    return roll_of(code_hints(models.dit, written, models.silence)[0])


def recall(pieces: Sequence[Tensor], found: Sequence[Tensor], stem: str) -> float:
    """Share of the stem's strokes of the pieces that are found, same sound and frame."""
    channels = list(STEMS[stem])
    pairs = [
        kept(before[:, channels], after[:, channels])
        for before, after in zip(pieces, found, strict=True)
    ]
    return sum(same for same, _ in pairs) / max(1, sum(total for _, total in pairs))
