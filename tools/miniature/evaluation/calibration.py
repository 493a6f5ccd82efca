"""What the measures come to on composed pieces, on the same as unevenly struck as models strike
them, and against the requests of others: the rows of docs/miniature.md."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

import torch
from torch import Tensor

from ace_core.constants import LATENT_HOP, SAMPLE_RATE

from ..codec.build import HELD_OUT
from ..world.channels import STEMS
from ..world.piece import compose
from ..world.request import Request, draw
from .key import in_key, key
from .likeness import harmony, likeness, rhythm
from .sound import CLICK, audio_of, click
from .stems import auc, energies, playing
from .tempo import on_grid, pulse, tempo_kept

FIRST: Final = HELD_OUT + 500  # seed of the first piece that is measured
JOINED: Final = 20  # pieces whose audio is heard for clicks
UNEVEN: Final = 0.1  # standard deviation of strokes; those of the models' organ have 0.09
LATE: Final = 700  # samples behind the start of a frame: where they are joined


@dataclass(frozen=True, slots=True, eq=False)
class Case:
    """A piece, what it is measured against, and the next piece."""

    request: Request
    roll: Tensor  # [T, 64]
    following: Tensor  # [T, 64]


def print_calibration(pieces: int, show: Callable[[str], None]) -> None:
    """A row for each measure: on the pieces' own requests, as composed and unevenly struck, and on
    those of the next piece."""
    own, others = cases(pieces, own=True), cases(pieces, own=False)
    measured = (own, [uneven(each) for each in own], others)
    show("| measure | own request | the same, unevenly struck | another's |")
    show("|---|---|---|---|")
    for name, share in SHARES.items():
        show(f"| {name} | {' | '.join(f'{_mean(list(share(each))):.1%}' for each in measured)} |")
    for stem in STEMS:
        values = " | ".join(f"{stem_auc(each, stem):.3f}" for each in measured)
        show(f"| AUC of the energy of the {stem} | {values} |")
    for name, alike in (("rhythm", rhythm), ("harmony", harmony), ("likeness", likeness)):
        values = torch.tensor([alike(each.roll, each.following) for each in own])
        row = f"{float(values.mean()):.2f}, 95 % below {float(values.quantile(0.95)):.2f}"
        show(f"| {name} of two pieces, -1 to 1 | 1.00 | | {row} |")
    whole, cut = (_mean(list(_clicks(own[:JOINED], joined))) for joined in (False, True))
    show(f"| a click half way / where another piece goes on | {whole:.1%} | | {cut:.1%} |")


def cases(pieces: int, own: bool) -> list[Case]:
    """Held-out pieces with their own requests, or each with that of the piece behind it."""
    requests = [draw(seed) for seed in range(FIRST, FIRST + pieces)]
    rolls = [compose(request).roll for request in requests]
    turned, following = requests[1:] + requests[:1], rolls[1:] + rolls[:1]
    return [Case(*case) for case in zip(requests if own else turned, rolls, following, strict=True)]


def uneven(case: Case) -> Case:
    """The piece with noise on each stroke."""
    generator = torch.Generator().manual_seed(case.request.seed)
    noise = UNEVEN * torch.randn(case.roll.shape, generator=generator)
    return replace(case, roll=case.roll + noise * (case.roll > 0))


def stem_auc(measured: Sequence[Case], stem: str) -> float:
    asked = [stem in each.request.stems for each in measured]
    return auc([energies(each.roll)[stem] for each in measured], asked)


def _tempo(measured: Sequence[Case], octaves: bool = False) -> Iterator[float]:
    for each in measured:
        yield float(tempo_kept(each.roll, each.request, octaves))


def _meter(measured: Sequence[Case]) -> Iterator[float]:
    for each in measured:
        found = pulse(each.roll)
        yield float(found is not None and found.meter == each.request.meter)


def _grid(measured: Sequence[Case]) -> Iterator[float]:
    for each in measured:
        yield on_grid(each.roll, each.request) or 0.0


def _keys(measured: Sequence[Case]) -> Iterator[float]:
    for each in measured:
        if (found := key(each.roll)) is not None:
            yield float(found == each.request.key)


def _notes(measured: Sequence[Case]) -> Iterator[float]:
    for each in measured:
        if (found := in_key(each.roll, each.request.key)) is not None:
            yield found


def _stems(measured: Sequence[Case]) -> Iterator[float]:
    for each in measured:
        yield float(playing(each.roll) == each.request.stems)


def _clicks(measured: Sequence[Case], joined: bool) -> Iterator[float]:
    """Half way through every piece, where it may go on as the next one."""
    for each in measured:
        audio, other = audio_of(each.roll), audio_of(each.following)
        at = len(each.roll) // 2 * LATENT_HOP + LATE
        if joined:
            audio = torch.cat([audio[:, :at], other[:, at:]], dim=1)
        yield float(click(audio, at / SAMPLE_RATE) > CLICK)


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)


SHARES: Final = {
    "tempo, within 4 %": _tempo,
    "tempo, half and twice of it counted, too": lambda measured: _tempo(measured, octaves=True),
    "meter": _meter,
    "strokes on the sixteenths of the request": _grid,
    "key": _keys,
    "notes of the key": _notes,
    "exactly the asked stems play": _stems,
}
