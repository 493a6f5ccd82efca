"""Examples of the six tasks: what the model sees of a source, and what it should play.

A piece's stems are channels of its roll, so every task has an exact answer.
"""

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from tools.miniature.codes.train import with_stems
from tools.miniature.diffusion import clock
from tools.miniature.sizes import STROKE
from tools.miniature.text.prompts import Prompt, prompt
from tools.miniature.training.pieces import Pieces
from tools.miniature.world.captions import NAMED
from tools.miniature.world.channels import STEMS
from tools.miniature.world.request import Request

BASE: Final = {
    "text2music": 0.23,
    "cover": 0.12,
    "repaint": 0.26,
    "extract": 0.06,
    "lego": 0.16,
    "complete": 0.17,
}
TURBO: Final = {"text2music": 0.35, "cover": 0.35, "repaint": 0.3}
PLAYS: Final = 0.75  # how often a stem is in a piece
REFERENCE: Final = 0.25  # how often text to music has a reference
NAMED_BESIDE_REFERENCE: Final = 0.3  # how often a caption names the stems then
CLIP: Final = 129  # frames of a reference that the timbre encoder's one layer reads
SAME_STEMS: Final = 0.45  # how often a cover has the stems of its source
NOISE: Final = 0.1  # of a source, as the VAE's estimate is off

Hints = Callable[[Tensor], Tensor]  # latents [1, T, 64] through codes and back


@dataclass(frozen=True, slots=True)
class Example:
    prompt: Prompt
    source: Tensor  # [T, 64] latents
    mask: Tensor  # [T, 1]
    target: Tensor  # [T, 64] latents
    reference: Tensor | None  # [CLIP, 64] latents


@dataclass(frozen=True, slots=True)
class Maker:
    """Draws examples of `pieces`; `tasks` says how often which task."""

    pieces: Pieces
    tasks: dict[str, float]
    hints: Hints
    easy: float = 0.0  # how often what an example must not heed is softer in its source

    def example(self, index: int, choose: random.Random) -> Example:
        full, request = self.pieces.roll(index), self.pieces.requests[index]
        task = choose.choices(tuple(self.tasks), tuple(self.tasks.values()))[0]
        make = {
            "text2music": self._text2music,
            "cover": self._cover,
            "repaint": self._repaint,
            "extract": self._extract,
            "lego": self._lego,
            "complete": self._complete,
        }[task]
        return make(full, request, choose)

    def _text2music(self, full: Tensor, request: Request, choose: random.Random) -> Example:
        stems = draw_stems(choose)
        reference = self._reference(stems, request, choose)
        named = NAMED if reference is None else NAMED_BESIDE_REFERENCE
        asked = prompt(replace(request, stems=stems), "text2music", (), choose, named)
        source = self._silence(request, choose)
        return Example(asked, source, _everywhere(full), _latent(full, stems), reference)

    def _cover(self, full: Tensor, request: Request, choose: random.Random) -> Example:
        """Of a piece with some stems, for others: what both share is rhythm, harmony and tune."""
        stems = draw_stems(choose)
        heard = stems if choose.random() < SAME_STEMS else _others(stems, choose)
        asked = prompt(replace(request, stems=stems), "cover", (), choose)
        source = self.hints(_noisy(_latent(full, heard), choose)[None])[0]
        return Example(asked, source, _everywhere(full), _latent(full, stems), None)

    def _repaint(self, full: Tensor, request: Request, choose: random.Random) -> Example:
        stems = draw_stems(choose)
        asked = prompt(replace(request, stems=stems), "repaint", (), choose)
        frames, target = len(full), _latent(full, stems)
        length = round(frames * choose.uniform(0.15, 0.7))
        start = choose.randrange(-length // 3, frames - length * 2 // 3)
        mask = torch.zeros(frames, 1)
        mask[max(0, start) : start + length] = 1
        source = torch.where(mask > 0, self._silence(request, choose), _noisy(target, choose))
        return Example(asked, source, mask, target, None)

    def _extract(self, full: Tensor, request: Request, choose: random.Random) -> Example:
        stems = draw_stems(choose)
        track = choose.choice(stems)
        asked = prompt(replace(request, stems=stems), "extract", (track,), choose)
        target = _latent(full, (track,))
        others = self._heard(choose) * (_latent(full, stems) - target)
        return Example(asked, _noisy(target + others, choose), _everywhere(full), target, None)

    def _lego(self, full: Tensor, request: Request, choose: random.Random) -> Example:
        stems = draw_stems(choose, least=2)
        track = choose.choice(stems)
        asked = prompt(replace(request, stems=stems), "lego", (track,), choose)
        backing = tuple(stem for stem in stems if stem != track)
        source = _noisy(_latent(full, backing), choose)
        return Example(asked, source, _everywhere(full), _latent(full, (track,)), None)

    def _complete(self, full: Tensor, request: Request, choose: random.Random) -> Example:
        stems = draw_stems(choose, least=2)
        count = choose.randrange(1, len(stems))
        tracks = tuple(choose.sample(stems, count))
        asked = prompt(replace(request, stems=stems), "complete", tracks, choose)
        given = tuple(stem for stem in stems if stem not in tracks)
        source = _noisy(_latent(full, given), choose)
        return Example(asked, source, _everywhere(full), _latent(full, stems), None)

    def _silence(self, request: Request, choose: random.Random) -> Tensor:
        """[T, 64] for the request's frames; in easy examples other tempi are marked more softly."""
        return clock.silence(request.frames, request.beat_frames, self._heard(choose))[0]

    def _heard(self, choose: random.Random) -> float:
        """How loud that is which the example must not heed."""
        return choose.random() if choose.random() < self.easy else 1.0

    def _reference(
        self, stems: Sequence[str], request: Request, choose: random.Random
    ) -> Tensor | None:
        """A clip of another piece with the same stems and keyboard."""
        if choose.random() >= REFERENCE:
            return None
        others = self.pieces.requests
        found = next(
            index
            for index in (choose.randrange(len(others)) for _ in range(1000))
            if others[index].keyboard == request.keyboard
        )
        roll = self.pieces.roll(found)
        start = choose.randrange(len(roll) - CLIP)
        return _noisy(_latent(roll[start : start + CLIP], stems), choose)


def draw_stems(choose: random.Random, least: int = 1) -> tuple[str, ...]:
    while True:
        stems = tuple(name for name in STEMS if choose.random() < PLAYS)
        if len(stems) >= least:
            return stems


def _others(stems: Sequence[str], choose: random.Random) -> tuple[str, ...]:
    """Stems that another band plays: seldom those of `stems`."""
    while True:
        found = tuple(
            name for name in STEMS if choose.random() < (0.35 if name in stems else PLAYS)
        )
        if found:
            return found


def _latent(roll: Tensor, stems: Sequence[str]) -> Tensor:
    return with_stems(roll, tuple(stems)) * STROKE


def _everywhere(roll: Tensor) -> Tensor:
    return torch.ones(len(roll), 1)


def _noisy(latent: Tensor, choose: random.Random) -> Tensor:
    generator = torch.Generator().manual_seed(choose.randrange(2**31))
    return latent + NOISE * torch.randn(latent.shape, generator=generator)
