"""Many composed pieces, kept in a file: composing one takes as long as learning from it."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from ace_core.constants import LATENT_CHANNELS
from tools.miniature.world.channels import STEMS
from tools.miniature.world.piece import compose
from tools.miniature.world.request import Request, draw

SECONDS: Final = (10.0, 15.0, 20.0, 30.0)
OFTEN: Final = (3, 3, 3, 1)
FULL: Final = 200  # of the stored strength 1.0; the hardest stroke is 1.25
TRAINING: Final = (
    20_000_000  # first seed of pieces to learn from; held-out ones are below a million
)


@dataclass(frozen=True, slots=True)
class Pieces:
    """Requests with all four stems, and their strokes: `places` are frame * 64 + channel."""

    requests: tuple[Request, ...]
    offsets: Tensor  # [N + 1], where each piece's strokes begin
    places: Tensor  # int32
    strengths: Tensor  # uint8

    def __len__(self) -> int:
        return len(self.requests)

    def roll(self, index: int) -> Tensor:
        """[T, 64]"""
        strokes = slice(int(self.offsets[index]), int(self.offsets[index + 1]))
        roll = torch.zeros(self.requests[index].frames * LATENT_CHANNELS)
        roll[self.places[strokes].long()] = self.strengths[strokes].float() / FULL
        return roll.view(-1, LATENT_CHANNELS)

    def by_length(self) -> dict[int, list[int]]:
        """Indices of the pieces of each number of frames."""
        lengths: dict[int, list[int]] = {}
        for index, request in enumerate(self.requests):
            lengths.setdefault(request.frames, []).append(index)
        return lengths


def full_request(seed: int) -> Request:
    """A request with all stems, and one of four lengths."""
    seconds = random.Random(f"seconds {seed}").choices(SECONDS, OFTEN)[0]
    return replace(draw(seed, seconds), stems=tuple(STEMS))


def pieces(first: int, count: int, folder: Path) -> Pieces:
    """Those of the seeds from `first` on, composed once and kept in `folder`."""
    requests = tuple(full_request(seed) for seed in range(first, first + count))
    file = folder / f"pieces_{first}_{count}.pt"
    if file.exists():
        found = torch.load(file, weights_only=True)
        return Pieces(requests, *(found[name] for name in ("offsets", "places", "strengths")))
    places, strengths = zip(*_strokes(requests), strict=True)
    sizes = torch.tensor([0, *(len(each) for each in places)])
    found = {
        "offsets": sizes.cumsum(0),
        "places": torch.cat(places),
        "strengths": torch.cat(strengths),
    }
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(found, file)
    return Pieces(requests, *found.values())


def _strokes(requests: tuple[Request, ...]) -> Iterator[tuple[Tensor, Tensor]]:
    for request in requests:
        flat = compose(request).roll.flatten()
        places = flat.nonzero().flatten()
        yield places.int(), (flat[places] * FULL).round().clamp(1, 255).byte()
