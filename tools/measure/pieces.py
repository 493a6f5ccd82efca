"""Short pieces of music whose tempo, key and meter are known, to test measurements with.

Everything is synthesised and seeded: chords of a common progression, a bass, a melody in the
scale, with or without drums, played with a few milliseconds of inaccuracy.
"""

import math
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ace_core.measure.key import PITCHES

RATE: Final = 44_100  # Hz
SECONDS: Final = 20.0
START: Final = 0.3  # seconds before the first beat
MOST_IN_CI: Final = 24
JITTER: Final = 0.004  # seconds: standard deviation of every note's start
MAJOR: Final = (0, 2, 4, 5, 7, 9, 11)
MINOR: Final = (0, 2, 3, 5, 7, 8, 10)
PROGRESSIONS: Final = {  # degrees, one chord per bar
    "major": ((0, 4, 5, 3), (0, 3, 4, 0), (0, 5, 3, 4), (0, 3, 1, 4)),
    "minor": ((0, 5, 2, 6), (0, 3, 4, 0), (0, 6, 5, 4), (0, 5, 3, 4)),
}
OTHER_PROGRESSIONS: Final = {  # on which no setting was chosen
    "major": ((0, 2, 3, 4), (0, 1, 4, 0), (5, 3, 0, 4), (0, 4, 1, 3)),
    "minor": ((0, 2, 5, 4), (0, 6, 3, 0), (5, 6, 0, 0), (0, 3, 6, 2)),
}


@dataclass(frozen=True)
class Piece:
    """`bpm` counts beats as they are felt: quarters, in 6/8 dotted quarters."""

    bpm: float
    tonic: int  # semitones above C
    mode: str  # "major" or "minor"
    meter: int  # the upper number: 3 and 4 of quarters, 6 of eighths
    drums: bool
    seed: int
    other: bool = False  # progressions and sounds on which no setting was chosen

    @property
    def key(self) -> str:
        return f"{PITCHES[self.tonic]} {self.mode}"

    @property
    def beats_per_bar(self) -> int:
        return 2 if self.meter == 6 else self.meter

    @property
    def beat(self) -> float:
        """Seconds."""
        return 60 / self.bpm

    def beats(self) -> list[float]:
        """Times of all beats in seconds; the first one is a downbeat."""
        return [START + index * self.beat for index in range(int((SECONDS - 1) / self.beat))]

    def downbeats(self) -> list[float]:
        return self.beats()[:: self.beats_per_bar]


def pieces(count: int = 72, seed: int = 1, other: bool = False) -> list[Piece]:
    """Tempi from 60 to 180, all 24 keys, the three meters, half of them with drums. The settings of
    `ace_core.measure` were chosen on those of seed 1."""
    generator = torch.Generator().manual_seed(seed)
    tempi = torch.linspace(60, 180, count)[torch.randperm(count, generator=generator)]
    return [
        Piece(
            bpm=round(float(tempi[index]), 1) * (2 / 3 if (index % 6) == 5 else 1),
            tonic=index % 12,
            mode="major" if index % 24 < 12 else "minor",
            meter=(4, 4, 3, 4, 3, 6)[index % 6],
            drums=(index // 6) % 2 == 0,
            seed=seed * 1000 + index,
            other=other,
        )
        for index in range(count)
    ]


def render(piece: Piece) -> Tensor:
    """The piece as stereo audio [2, N] at `RATE`, its peak at 0.7."""
    player = _Player(piece)
    downbeats = piece.downbeats()
    for bar, downbeat in enumerate(downbeats):
        player.bar(0 if downbeat == downbeats[-1] else bar, downbeat)  # it ends on the tonic
    return player.audio / player.audio.abs().max() * 0.7


class _Player:
    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.audio = torch.zeros(2, int(SECONDS * RATE))
        self.random = torch.Generator().manual_seed(piece.seed)
        self.scale = MAJOR if piece.mode == "major" else MINOR
        choices = (OTHER_PROGRESSIONS if piece.other else PROGRESSIONS)[piece.mode]
        self.progression = choices[self._pick(len(choices))]
        self.strummed = bool(self._pick(2))  # chords on each beat, or held
        self.degree = 4 + self._pick(4)  # of the melody

    def bar(self, index: int, start: float) -> None:
        """The notes of one bar."""
        root = self.progression[index % len(self.progression)]
        piece = self.piece
        steps = 3 if piece.meter == 6 else 2  # eighths per beat
        for beat in range(piece.beats_per_bar):
            time = start + beat * piece.beat
            if self.strummed or beat == 0:
                self._chord(time, root, piece.beat * (1 if self.strummed else piece.beats_per_bar))
            if (beat in {0, 2} and piece.beats_per_bar > 2) or beat == 0:
                self._note(time, self._pitch(root) - 24, piece.beat * 1.5, 0.5, 3.0)
            for step in range(steps):
                at = time + step * piece.beat / steps
                if self._uniform() < (0.8 if step == 0 else 0.45):
                    self._melody(at, root, on_beat=step == 0 and beat == 0)
                if piece.drums:
                    self._hat(at, 0.10 if step else 0.16)
            if piece.drums:
                self._beat_drums(time, beat)

    def _beat_drums(self, time: float, beat: int) -> None:
        snares = {4: {1, 3}, 3: {1, 2}, 6: {1}}[self.piece.meter]
        kicks = {4: {0, 2}, 3: {0}, 6: {0}}[self.piece.meter]
        if beat in kicks:
            self._kick(time, 1.0 if beat == 0 else 0.8)
        if beat in snares:
            self._snare(time, 0.5)

    def _chord(self, time: float, root: int, length: float) -> None:
        for place in (0, 2, 4):
            raised = self.piece.mode == "minor" and (root, place) == (4, 2)  # the leading note
            self._note(time, self._pitch(root + place) + raised, length, 0.16, 1.6)

    def _melody(self, time: float, root: int, on_beat: bool) -> None:
        self.degree = max(5, min(14, self.degree + self._pick(5) - 2))
        if on_beat:  # a note of the chord
            self.degree = min(
                (root % 7 + place + 7 * octave for place in (0, 2, 4) for octave in (0, 1)),
                key=lambda degree: abs(degree - self.degree),
            )
        length = self.piece.beat * (0.5 + 0.5 * self._uniform())
        self._note(time, self._pitch(self.degree) + 12, length, 0.2, 2.5)

    def _pitch(self, degree: int) -> int:
        """MIDI number of a degree of the scale above the tonic around middle C."""
        octave, place = divmod(degree, 7)
        return 48 + self.piece.tonic + 12 * octave + self.scale[place]

    def _note(self, time: float, pitch: float, length: float, level: float, decay: float) -> None:
        t = torch.arange(int(min(length + 0.15, 4.0) * RATE)) / RATE
        hertz = 440 * 2 ** ((pitch - 69) / 12)
        harmonics = range(1, min(9, int(8000 / hertz) + 1) + 1)
        if self.piece.other:  # as a clarinet: odd harmonics, a softer attack
            odd = harmonics[::2]
            wave = sum(torch.sin(2 * math.pi * hertz * n * t) / n**0.9 for n in odd)
        else:
            wave = sum(torch.sin(2 * math.pi * hertz * n * t) / n**1.3 for n in harmonics)
        shape = (
            (t / (0.025 if self.piece.other else 0.006)).clamp(max=1)
            * torch.exp(-decay * t)
            * ((length + 0.15 - t) / 0.1).clamp(0, 1)
        )
        self._add(time, wave * shape * level * (0.85 + 0.3 * self._uniform()))

    def _kick(self, time: float, level: float) -> None:
        t = torch.arange(int(0.25 * RATE)) / RATE
        phase = 2 * math.pi * (50 * t + 100 / 30 * (1 - torch.exp(-30 * t)))
        self._add(time, torch.sin(phase) * torch.exp(-12 * t) * level)

    def _snare(self, time: float, level: float) -> None:
        t = torch.arange(int(0.2 * RATE)) / RATE
        noise = torch.randn(len(t), generator=self.random)
        self._add(time, (noise + torch.sin(2 * math.pi * 190 * t)) * torch.exp(-22 * t) * level)

    def _hat(self, time: float, level: float) -> None:
        t = torch.arange(int(0.06 * RATE)) / RATE
        noise = torch.randn(len(t) + 1, generator=self.random).diff()
        self._add(time, noise * torch.exp(-80 * t) * level)

    def _add(self, time: float, sound: Tensor) -> None:
        jitter = float(torch.randn((), generator=self.random)) * JITTER
        first = max(0, round((time + jitter) * RATE))
        room = self.audio.shape[1] - first
        if room > 0:
            pan = 0.3 * (self._uniform() - 0.5)
            both = torch.tensor([[1 - pan], [1 + pan]]) * sound[:room]
            self.audio[:, first : first + both.shape[1]] += both

    def _pick(self, count: int) -> int:
        return int(torch.randint(count, (), generator=self.random))

    def _uniform(self) -> float:
        return float(torch.rand((), generator=self.random))
