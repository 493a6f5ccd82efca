"""The plots of docs/miniature.md, of the music that a family makes."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from torch import Tensor

from ..evaluation.tempo import pulse
from ..world.request import Request
from . import pictures
from .asked import requests
from .figure import Extent
from .language import composed
from .music import Family, How, from_text, truths
from .sources import by_cover_strength, by_source_strength
from .text import sweep


def draw_plots(family: Family, extent: Extent, folder: Path) -> Iterator[Path]:
    """Write those whose models are there, and yield their paths."""
    plots: dict[str, tuple[Callable[[Family, Extent, Path], None], set[str]]] = {
        "guidance": (_guidance, {"base"}),
        "strengths": (_strengths, {"turbo"}),
        "tempo": (_tempo, {"turbo"}),
        "rolls": (_rolls, {"turbo"}),
    }
    for name, (draw, parts) in plots.items():
        if not parts & family.missing:
            path = folder / f"miniature_{name}.png"
            draw(family, extent, path)
            yield path


def _guidance(family: Family, extent: Extent, path: Path) -> None:
    found = sweep(family, extent)
    fields = ("tempo", "key", "instruments", "mean")
    series = {
        field: [(scale, getattr(each, field)) for scale, each in found.items()] for field in fields
    }
    pictures.lines("As asked, by guidance of the base model", "scale", series, path)


def _strengths(family: Family, extent: Extent, path: Path) -> None:
    asked, how = requests(extent.slow), How(extent.noise)
    series = {
        "cover": list(by_cover_strength(family.turbo, asked, how).items()),
        "starting noise": list(by_source_strength(family.turbo, asked, how).items()),
    }
    pictures.lines("Likeness to the source", "strength", series, path)


def _tempo(family: Family, extent: Extent, path: Path) -> None:
    asked = requests(extent)
    series = {"text alone": _points(asked, from_text(family.turbo, asked, How(extent.noise)))}
    if not family.missing:
        codes = composed(family.lm, asked, extent.noise)
        planned = from_text(family.turbo, asked, How(extent.noise), codes)
        series["planned"] = _points(asked, planned)
    pictures.tempi("Tempo heard and asked", series, path)


def _points(asked: Sequence[Request], rolls: Sequence[Tensor]) -> list[pictures.Point]:
    both = ((request, pulse(roll)) for request, roll in zip(asked, rolls, strict=True))
    return [(request.bpm, found.bpm) for request, found in both if found is not None]


def _rolls(family: Family, extent: Extent, path: Path) -> None:
    """The first request that the whole band plays."""
    asked = [next(each for each in requests(extent) if len(each.stems) == 4)]
    (composed_roll,) = truths(asked)
    (alone,) = from_text(family.turbo, asked, How(extent.noise))
    named = {"composed": composed_roll, "turbo, text alone": alone}
    if not family.missing:
        codes = composed(family.lm, asked, extent.noise)
        (named["turbo, planned"],) = from_text(family.turbo, asked, How(extent.noise), codes)
    pictures.rolls(named, path)
