"""How well the VAE keeps pieces of the world: the rows of docs/miniature.md."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

import torch
from torch import Tensor

from ace_core.models.vae import Oobleck

from ..world.piece import compose
from ..world.render import render, stem_rolls
from ..world.request import draw
from ..world.sounds import sounds
from .build import HELD_OUT
from .decoder import SCALE

SHIFTS: Final = (0.01, 0.05, 0.25, 0.5)  # frames
GAINS: Final = (0.1, 3.0)
NOISES: Final = (1e-3, 1e-2)  # standard deviation of white noise

Show = Callable[[str], None]


def print_figures(vae: Oobleck, pieces: int, seconds: float, show: Show) -> None:
    """A row of SI-SDR for each way to hand the VAE a piece; some take only a part of the pieces."""
    found: dict[str, list[float]] = {}
    for seed in range(HELD_OUT, HELD_OUT + pieces):
        roll = compose(draw(seed, seconds)).roll
        found.setdefault("pieces", []).append(_round_trip(vae, render(roll, sounds())))
        if seed < HELD_OUT + (pieces + 1) // 2:
            for name, audio in _variants(roll, sounds(), seed):
                found.setdefault(name, []).append(_round_trip(vae, audio))
    for row in _rows(found):
        show(row)


def si_sdr(estimate: Tensor, truth: Tensor) -> float:
    """Scale-invariant ratio of signal to distortion, dB."""
    scaled = truth * (estimate * truth).sum() / truth.square().sum()
    return float(10 * torch.log10(scaled.square().sum() / (estimate - scaled).square().sum()))


def read_roll(vae: Oobleck, audio: Tensor) -> Tensor:
    """The roll [T, 64] that the encoder finds in audio [2, N]."""
    return vae.encode(audio[None]).mean[0].T / SCALE


def _round_trip(vae: Oobleck, audio: Tensor) -> float:
    return si_sdr(vae.decode(vae.encode(audio[None]).mean)[0], audio)


def _variants(roll: Tensor, played: Tensor, seed: int) -> Iterator[tuple[str, Tensor]]:
    audio = render(roll, played)
    for stem, alone in stem_rolls(roll).items():
        yield f"{stem} alone", render(alone, played)
    for gain in GAINS:
        yield f"gain {gain}", gain * audio
    for shift in SHIFTS:
        yield f"{40 * shift:g} ms off the grid", render(roll, played, shift)
    generator = torch.Generator().manual_seed(seed)
    for level in NOISES:
        yield (
            f"with noise of {level}",
            audio + level * torch.randn(audio.shape, generator=generator),
        )


def _rows(found: Mapping[str, list[float]]) -> Iterator[str]:
    yield "| | pieces | SI-SDR, mean | worst |"
    yield "|---|---|---|---|"
    for name, values in found.items():
        mean = sum(values) / len(values)
        yield f"| {name} | {len(values)} | {mean:.1f} dB | {min(values):.1f} dB |"
