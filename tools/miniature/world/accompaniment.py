"""Bass and keyboard: what carries the harmony."""

import random
from typing import Final

from .channels import KEY_CLICK
from .form import Bar
from .harmony import FIFTH, Harmony, fold, voicing
from .request import KEYBOARDS, Request
from .strokes import BASS_NOTES, KEYBOARD_NOTES, Strokes

# eighth -> note of the chord: 0 the root, 1 the third, 2 the fifth, None a step to the next root
BASS_LINES: Final = {
    (4, False): ({0: 0, 4: 2}, {0: 0, 3: 0, 4: 2}, {0: 0, 4: 0, 6: None}),
    (4, True): (
        {0: 0, 1: 0, 2: 0, 3: 0, 4: 0, 5: 0, 6: 0, 7: None},
        {0: 0, 2: 2, 3: 0, 4: 0, 6: 2, 7: None},
        {0: 0, 2: 1, 4: 2, 6: None},
    ),
    (3, False): ({0: 0, 4: 2}, {0: 0, 2: 2, 4: 2}),
    (3, True): ({0: 0, 2: 2, 4: 2, 5: None}, {0: 0, 2: 1, 4: 2}),
    (6, False): ({0: 0, 3: 2}, {0: 0, 2: 0, 3: 2}),
    (6, True): ({0: 0, 2: 0, 3: 2, 5: None}, {0: 0, 2: 1, 3: 2, 5: 1}),
}
# eighths at which chords are struck, each held until the next; "arpeggio" plays one note an eighth
ARPEGGIO: Final = "arpeggio"
COMPS: Final = {
    (4, False): ((0,), (0, 4), ARPEGGIO, (0, 3)),
    (4, True): ((0, 3, 6), (0, 2, 4, 6), (0, 3, 4, 7), ARPEGGIO),
    (3, False): ((0,), (0, 2, 4), ARPEGGIO),
    (3, True): ((0, 2, 4), ARPEGGIO, (0, 3)),
    (6, False): ((0,), (0, 3), ARPEGGIO),
    (6, True): ((0, 3), ARPEGGIO, (0, 2, 3, 5)),
}
RISING: Final = (0, 1, 2, 3, 2, 1)  # notes of an arpeggio; 3 is the lowest an octave up
SUSTAIN: Final = {KEYBOARDS[0]: 0.62, KEYBOARDS[1]: 1.0}  # of each stroke that holds a note


class Bass:
    """One line for verses and one for choruses."""

    def __init__(self, request: Request, harmony: Harmony, choose: random.Random) -> None:
        lines = BASS_LINES[request.meter, request.lively]
        self.harmony = harmony
        self.lines = {"chorus": choose.choice(lines), "verse": choose.choice(lines)}

    def bar(self, bar: Bar, chord: int, following: int, strokes: Strokes) -> None:
        if bar.section.name == "intro" and not bar.ends_section:
            return
        triad = self.harmony.triad(chord)
        line = self.lines["chorus" if bar.section.name == "chorus" else "verse"]
        for eighth, place in {0: 0}.items() if bar.last else line.items():
            pitch = self._leading(following) if place is None else triad[place]
            strength = bar.section.gain * (1.0 if bar.on_beat(eighth) else 0.85)
            strokes.bass(bar.frame(eighth), fold(pitch, BASS_NOTES[0]), strength)

    def _leading(self, following: int) -> int:
        """The note of the scale below the next root."""
        return self.harmony.pitch(following - 1, FIFTH if following % 7 == 0 else 0)


class Keyboard:
    """Chords, each moved as little as can be from the one before."""

    def __init__(self, request: Request, harmony: Harmony, choose: random.Random) -> None:
        comps = COMPS[request.meter, request.lively]
        held = (comps[0], (0,)) if request.keyboard == KEYBOARDS[1] else comps
        self.harmony = harmony
        self.struck = request.keyboard == KEYBOARDS[0]
        self.sustain = SUSTAIN[request.keyboard]
        self.comps = {"chorus": choose.choice(held), "verse": choose.choice(held)}
        self.chord: tuple[int, ...] = ()

    def bar(self, bar: Bar, chord: int, strokes: Strokes) -> None:
        classes = self.harmony.triad(chord)
        self.chord = voicing(classes, self.chord, KEYBOARD_NOTES)
        comp = self.comps["chorus" if bar.section.name == "chorus" else "verse"]
        if bar.last:
            self._strike(bar, (0, bar.eighths), self.chord, strokes)
        elif comp == ARPEGGIO:
            self._arpeggio(bar, strokes)
        else:
            eighths = (*comp, bar.eighths)
            for place in range(len(comp)):
                self._strike(bar, (eighths[place], eighths[place + 1]), self.chord, strokes)

    def _arpeggio(self, bar: Bar, strokes: Strokes) -> None:
        octave = [note for note in (self.chord[0] + 12, self.chord[1]) if note in KEYBOARD_NOTES]
        notes = (*self.chord, octave[0])
        for eighth in range(bar.eighths):
            note = notes[RISING[eighth % len(RISING)]]
            self._strike(bar, (eighth, min(eighth + 2, bar.eighths)), (note,), strokes)

    def _strike(
        self, bar: Bar, eighths: tuple[int, int], notes: tuple[int, ...], strokes: Strokes
    ) -> None:
        first, until = (bar.frame(eighth) for eighth in eighths)
        alone = 1.25 if len(notes) == 1 else 1.0
        strength = alone * bar.section.gain * (1.0 if bar.on_beat(eighths[0]) else 0.85)
        for note in notes:
            strokes.hold(first, until, note, strength, self.sustain)
        if self.struck:
            strokes.strike(first, KEY_CLICK, 0.7 * strength)
