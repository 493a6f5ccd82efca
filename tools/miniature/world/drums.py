"""The drum kit: a pattern for each meter and mood, fills at the end of sections."""

import random
from typing import Final

from .channels import CLAP, CRASH, HAT, KICK, OPEN_HAT, SHAKER, SNARE, TOM
from .form import Bar
from .request import Request
from .strokes import Strokes

KICKS: Final = {  # eighths, by meter: (calm, lively) of two styles each
    4: (((0, 4), (0, 5)), ((0, 3, 4), (0, 4, 5), (0, 2, 4, 6))),
    3: (((0,),), ((0,), (0, 3))),
    6: (((0,),), ((0, 5), (0, 2))),
}
SNARES: Final = {4: (2, 6), 3: (2, 4), 6: (3,)}
FILLS: Final = (  # (half eighths before the end, drum), sixteenths where the beat has room
    ((4, SNARE), (3, SNARE), (2, TOM), (1, TOM)),
    ((8, SNARE), (6, TOM), (4, SNARE), (2, TOM), (1, TOM)),
    ((6, TOM), (4, TOM), (2, SNARE), (1, SNARE)),
    ((4, CLAP), (2, SNARE)),
)
SIXTEENTHS: Final = 12  # frames of a beat from which sixteenths are clean


class Drums:
    """The drummer of one piece: the patterns are chosen once."""

    def __init__(self, request: Request, choose: random.Random) -> None:
        meter, lively = request.meter, request.lively
        self.request = request
        self.kicks = choose.choice(KICKS[meter][lively])
        self.fills = choose.sample(FILLS, 2)
        self.half_time = not lively and meter == 4 and choose.random() < 0.4
        self.shaken = choose.random() < 0.5  # a shaker instead of the hat in verses

    def bar(self, bar: Bar, strokes: Strokes) -> None:
        """One bar; the last of the piece is a single stroke."""
        name, opening = bar.section.name, bar.index == 0
        if bar.last:
            for drum, strength in ((KICK, 1.0), (CRASH, 0.9)):
                strokes.strike(bar.frame(0), drum, strength)
            return
        if name == "intro":
            self._time(bar, strokes, HAT, 0.7)
            if bar.ends_section:
                self._fill(bar, strokes, self.fills[0])
            return
        if opening and name in ("verse", "chorus"):
            strokes.strike(bar.frame(0), CRASH, 0.9 if name == "chorus" else 0.6)
        fill = self.fills[name == "chorus"] if bar.ends_section else ()
        self._beat(bar, strokes, until=bar.eighths - max((at for at, _ in fill), default=0) / 2)
        quiet = SHAKER if self.shaken else HAT
        self._time(bar, strokes, HAT if name == "chorus" else quiet, bar.section.gain)
        self._fill(bar, strokes, fill)

    def _beat(self, bar: Bar, strokes: Strokes, until: float) -> None:
        chorus = bar.section.name == "chorus"
        snares = (4,) if self.half_time and not chorus else SNARES[self.request.meter]
        for eighth in self.kicks:
            strokes.strike(bar.frame(eighth), KICK, 1.0 if eighth == 0 else 0.9)
        for eighth in snares:
            if eighth < until:
                strokes.strike(bar.frame(eighth), SNARE, 0.95 * bar.section.gain)
                if chorus and self.request.lively:
                    strokes.strike(bar.frame(eighth), CLAP, 0.6)

    def _time(self, bar: Bar, strokes: Strokes, drum: int, gain: float) -> None:
        """Hats or shaker, through the bar; lively ones mark every eighth."""
        for eighth in range(bar.eighths):
            accent = bar.on_beat(eighth)
            if not (accent or self.request.lively or self.request.meter == 6):
                continue
            opens = bar.section.name == "chorus" and eighth == bar.eighths - 1
            strength = gain * (0.95 if accent else 0.6)
            strokes.strike(bar.frame(eighth), OPEN_HAT if opens else drum, strength)

    def _fill(self, bar: Bar, strokes: Strokes, fill: tuple[tuple[int, int], ...]) -> None:
        fine = self.request.beat_frames >= SIXTEENTHS and self.request.meter != 6
        for place, (before, drum) in enumerate(fill):
            if before % 2 == 0 or fine:
                strength = bar.section.gain * (0.7 + 0.3 * place / len(fill))
                strokes.strike(bar.frame(bar.eighths - before / 2), drum, strength)
