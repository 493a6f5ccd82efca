"""Scales, chords, progressions, and how a chord is laid out under the hands."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SCALES: Final = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
# Degrees from 0, one chord per bar. Those of a chorus begin on the tonic or lead to it.
VERSES: Final = {
    "major": ((0, 5, 3, 4), (0, 4, 5, 3), (0, 3, 0, 4), (0, 2, 3, 4), (0, 3, 1, 4)),
    "minor": ((0, 5, 3, 4), (0, 3, 0, 4), (0, 6, 5, 4), (0, 3, 5, 4), (0, 2, 3, 4)),
}
CHORUSES: Final = {
    "major": ((0, 4, 3, 4), (0, 3, 4, 0), (3, 4, 0, 0), (0, 5, 1, 4), (0, 4, 0, 4)),
    "minor": ((0, 5, 2, 6), (0, 3, 4, 0), (0, 6, 5, 4), (0, 2, 6, 4), (0, 5, 3, 0)),
}
FIFTH: Final = 4  # the degree of the dominant
WIDEST: Final = 14  # semitones between the outer notes of a chord


@dataclass(frozen=True, slots=True)
class Harmony:
    """The notes of a key. Degrees count scale steps from the tonic, through all octaves."""

    tonic: int
    mode: str

    def pitch(self, degree: int, chord: int = 0) -> int:
        """Semitones above C of octave 0; over the dominant of a minor key the seventh step is
        raised to lead to the tonic."""
        octave, step = divmod(degree, 7)
        raised = self.mode == "minor" and chord == FIFTH and step == 6
        return self.tonic + 12 * octave + SCALES[self.mode][step] + raised

    def triad(self, chord: int) -> tuple[int, int, int]:
        """Pitch classes of root, third and fifth."""
        root, third, fifth = (self.pitch(chord + place, chord) % 12 for place in (0, 2, 4))
        return root, third, fifth


def fold(pitch: int, lowest: int) -> int:
    """The note of that pitch class in the octave from `lowest` up."""
    return lowest + (pitch - lowest) % 12


def voicing(classes: Sequence[int], before: Sequence[int], notes: range) -> tuple[int, ...]:
    """The chord's notes within `notes`, moved as little as possible from the chord `before`."""
    places = [[note for note in notes if note % 12 == each] for each in classes]
    middle = (notes[0] + notes[-1]) / 2

    def effort(chord: tuple[int, ...]) -> tuple[float, tuple[int, ...]]:
        moves = sum(abs(a - b) for a, b in zip(chord, before, strict=False))
        return moves + 0.3 * abs(sum(chord) / len(chord) - middle), chord

    chords = (tuple(sorted(notes)) for notes in itertools.product(*places))
    return min((c for c in chords if c[-1] - c[0] <= WIDEST), key=effort)
