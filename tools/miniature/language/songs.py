"""Composed pieces as audio codes: what the language model learns to write and to read.

Pieces are kept in files of a few thousand, rolls and codes apart: composing takes minutes, and
another table of codes needs the rolls again.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from ace_core.constants import FRAMES_PER_CODE, LATENT_CHANNELS
from tools.miniature.codes.design import codes_of_roll
from tools.miniature.world.piece import compose
from tools.miniature.world.request import Request, draw

FIRST: Final = 40_000_000  # seed of the first piece; held-out ones are below a million
SHARD: Final = 2_500  # pieces of a file
SHORTEST, USUAL, LONGEST = 10, 24, 40  # seconds
FULL: Final = 200  # of the stored strength 1.0; the hardest stroke is 1.25


@dataclass(frozen=True, slots=True)
class Song:
    """A piece's request and codes."""

    request: Request
    codes: Tensor  # int16 [S]


def request_of(seed: int) -> Request:
    """Any piece of the world, 10 to 40 seconds long, more often short than long."""
    choose = random.Random(f"song {seed}")
    longer = choose.random() < 0.3
    seconds = choose.randint(USUAL, LONGEST) if longer else choose.randint(SHORTEST, USUAL)
    return draw(seed, float(seconds))


def _compose_shard(number: int, folder: Path) -> Path:
    """The strokes of a shard's pieces in a file, composed if it is not there."""
    file = folder / f"songs_{number}.pt"
    if file.exists():
        return file
    places, strengths = zip(*_strokes(_seeds(number)), strict=True)
    content = {
        "offsets": torch.tensor([0, *(len(each) for each in places)]).cumsum(0),
        "places": torch.cat(places),
        "strengths": torch.cat(strengths),
    }
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(content, file.with_suffix(".part"))
    file.with_suffix(".part").replace(file)
    return file


def shard(number: int, folder: Path) -> list[Song]:
    """The songs of a shard, composed if they are not in the folder yet."""
    requests = [request_of(seed) for seed in _seeds(number)]
    file = folder / f"codes_{number}.pt"
    if not file.exists():
        codes = [codes_of_roll(roll).to(torch.int16) for roll in _rolls(requests, number, folder)]
        torch.save(torch.cat(codes), file.with_suffix(".part"))
        file.with_suffix(".part").replace(file)
    counts = [request.frames // FRAMES_PER_CODE for request in requests]
    codes = torch.load(file, weights_only=True).split(counts)
    return [Song(*each) for each in zip(requests, codes, strict=True)]


def song_of(request: Request) -> Song:
    """The song of one request."""
    return Song(request, codes_of_roll(compose(request).roll).to(torch.int16))


def _seeds(number: int) -> range:
    return range(FIRST + number * SHARD, FIRST + (number + 1) * SHARD)


def _strokes(seeds: range) -> Iterator[tuple[Tensor, Tensor]]:
    for seed in seeds:
        flat = compose(request_of(seed)).roll.flatten()
        places = flat.nonzero().flatten()
        yield places.int(), (flat[places] * FULL).round().clamp(1, 255).byte()


def _rolls(requests: list[Request], number: int, folder: Path) -> Iterator[Tensor]:
    """Rolls [T, 64]."""
    content = torch.load(_compose_shard(number, folder), weights_only=True)
    for index, request in enumerate(requests):
        strokes = slice(int(content["offsets"][index]), int(content["offsets"][index + 1]))
        roll = torch.zeros(request.frames * LATENT_CHANNELS)
        roll[content["places"][strokes].long()] = content["strengths"][strokes].float() / FULL
        yield roll.view(-1, LATENT_CHANNELS)
