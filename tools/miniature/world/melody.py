"""The tune: a motif of two bars, repeated over the chords, and answered at the end of a phrase."""

import random
from dataclasses import dataclass
from typing import Final

from .form import PHRASE, Bar
from .harmony import Harmony
from .request import Request
from .strokes import SYNTH_NOTES, Strokes

RHYTHMS: Final = {  # eighths that begin a note, by (meter, lively)
    (4, False): ((0, 3, 4), (0, 2, 4), (2, 4, 6), (0, 4, 5, 6), (0, 3, 6)),
    (4, True): (
        (0, 2, 3, 4, 6),
        (0, 1, 2, 4, 6, 7),
        (0, 3, 4, 6, 7),
        (1, 2, 3, 4, 6),
        (0, 2, 4, 5, 6),
    ),
    (3, False): ((0, 2, 4), (0, 4), (0, 3, 4)),
    (3, True): ((0, 2, 3, 4), (0, 1, 2, 4), (0, 2, 4, 5)),
    (6, False): ((0, 3), (0, 2, 3), (0, 3, 5)),
    (6, True): ((0, 2, 3, 5), (0, 1, 2, 3), (0, 2, 3, 4, 5)),
}
STEPS: Final = (-2, -1, -1, 1, 1, 2)  # of the scale, from a note to the next
LEAPS: Final = (-4, -3, 3, 4)
MOTIF: Final = 2  # bars
CADENCE: Final = {"verse": 4, "chorus": 0}  # the degree on which a phrase ends: open, closed
LOWEST_DEGREE: Final = 0  # of a tune; its degrees lie in a range of two octaves less a third
HIGHEST_DEGREE: Final = 11

Motif = tuple[tuple[tuple[int, int], ...], ...]  # for each bar (eighth, degrees from its start)


@dataclass(frozen=True, slots=True)
class Theme:
    """What one kind of section sings."""

    motif: Motif
    first: int  # degree on which it begins


class Melody:
    """A theme for verses and a higher one for choruses; the others borrow the verse's."""

    def __init__(self, request: Request, harmony: Harmony, choose: random.Random) -> None:
        self.harmony = harmony
        rhythms = RHYTHMS[request.meter, request.lively]
        self.themes = {
            "verse": Theme(_motif(rhythms, choose), choose.choice((0, 2, 4))),
            "chorus": Theme(_motif(rhythms, choose), choose.choice((4, 5, 7))),
        }

    def bar(self, bar: Bar, chord: int, strokes: Strokes) -> None:
        """Silent in the intro; the end of the piece is the tonic."""
        if bar.section.name == "intro":
            return
        kind = "chorus" if bar.section.name == "chorus" else "verse"
        theme = self.themes[kind]
        if bar.last:
            strokes.synth(bar.frame(0), self._note(7, chord), 1.0)
            return
        closing = bar.index % PHRASE == PHRASE - 1 or bar.ends_section
        notes = theme.motif[bar.index % MOTIF]
        for eighth, offset in notes[:2] if closing else notes:
            degree = self._fitting(theme.first + offset, chord, bar.on_beat(eighth))
            self._play(bar, eighth, degree, chord, strokes)
        if closing:
            end = _nearest(CADENCE[kind], theme.first)
            self._play(bar, bar.eighths // 2, self._fitting(end, chord, True), chord, strokes)

    def _play(self, bar: Bar, eighth: int, degree: int, chord: int, strokes: Strokes) -> None:
        strength = bar.section.gain * (1.0 if bar.on_beat(eighth) else 0.8)
        strokes.synth(bar.frame(eighth), self._note(degree, chord), strength)

    def _fitting(self, degree: int, chord: int, accented: bool) -> int:
        """The degree within the range, moved to a note of the chord where it is accented."""
        while degree < LOWEST_DEGREE:
            degree += 7
        while degree > HIGHEST_DEGREE:
            degree -= 7
        if not accented:
            return degree
        inside = range(LOWEST_DEGREE, HIGHEST_DEGREE + 1)
        tones = [each for each in inside if (each - chord) % 7 in (0, 2, 4)]
        return min(tones, key=lambda tone: (abs(tone - degree), tone))

    def _note(self, degree: int, chord: int) -> int:
        """MIDI number; the lowest tonic of the synth's range is degree 0, or that an octave up
        brought down where the range ends."""
        base = SYNTH_NOTES[0] + (self.harmony.tonic - SYNTH_NOTES[0]) % 12 - self.harmony.tonic
        note = base + self.harmony.pitch(degree, chord)
        while note > SYNTH_NOTES[-1]:
            note -= 12
        return note


def _motif(rhythms: tuple[tuple[int, ...], ...], choose: random.Random) -> Motif:
    """A walk along the scale with a leap now and then, which the next step fills."""
    degree, bars = 0, []
    for _ in range(MOTIF):
        notes = []
        for eighth in choose.choice(rhythms):
            notes.append((eighth, degree))
            leap = choose.random() < 0.15
            degree += choose.choice(LEAPS if leap else STEPS)
            degree = max(-4, min(5, degree))
        bars.append(tuple(notes))
    return tuple(bars)


def _nearest(step: int, degree: int) -> int:
    """The degree of that scale step nearest to another."""
    return min((step, step + 7), key=lambda each: abs(each - degree))
