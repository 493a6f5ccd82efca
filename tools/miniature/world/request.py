"""What a piece is asked to be, and requests drawn at random."""

import random
from dataclasses import dataclass, replace
from typing import Final

from ace_core.constants import LATENT_RATE
from ace_core.measure.key import PITCHES

from .channels import BEAT_FRAMES, STEMS, tempo

METERS: Final = (3, 4, 6)  # 6 is 6/8, whose beats are dotted quarters
MODES: Final = ("major", "minor")
KEYBOARDS: Final = ("electric piano", "organ")  # struck and decaying, held

CLOSE: Final = 1.04  # ratio of tempi that are taken for one


@dataclass(frozen=True, slots=True)
class Request:
    """One seed and the same request make the same piece."""

    seed: int
    seconds: float
    beat_frames: int  # latent frames per beat
    meter: int
    tonic: int  # semitones above C
    mode: str
    stems: tuple[str, ...]  # those that play, in the order of STEMS
    keyboard: str = KEYBOARDS[0]
    lively: bool = True

    def __post_init__(self) -> None:
        fine = (
            self.meter in METERS
            and self.beat_frames in beats(self.meter)
            and self.tonic in range(12)
            and self.mode in MODES
            and self.stems == tuple(name for name in STEMS if name in self.stems)
            and self.keyboard in KEYBOARDS
        )
        if not fine or not self.stems:
            raise ValueError(f"The world has no such piece: {self}")

    @property
    def frames(self) -> int:
        return round(self.seconds * LATENT_RATE)

    @property
    def bpm(self) -> int:
        return round(tempo(self.beat_frames))

    @property
    def key(self) -> str:
        return f"{PITCHES[self.tonic]} {self.mode}"

    @property
    def beats_per_bar(self) -> int:
        return 2 if self.meter == 6 else self.meter

    @property
    def bar_frames(self) -> int:
        return self.beats_per_bar * self.beat_frames


def beats(meter: int) -> tuple[int, ...]:
    """Frames that a beat may have; in 6/8 it has three equal parts, of a fifth of a second or
    more."""
    return tuple(n for n in BEAT_FRAMES if meter != 6 or (n % 3 == 0 and n >= 15))


def at_tempo(request: Request, bpm: float) -> Request:
    """The request at the nearest tempo of its meter, by ratio; what is faster or slower than all
    of them is played at half or twice its tempo, where that is among them."""
    allowed = beats(request.meter)
    slowest, fastest = tempo(allowed[-1]) / CLOSE, tempo(allowed[0]) * CLOSE
    octaves = (bpm, bpm / 2, bpm * 2, bpm / 4, bpm * 4)
    wanted = next((each for each in octaves if slowest <= each <= fastest), bpm)
    return replace(
        request, beat_frames=min(allowed, key=lambda frames: abs(tempo(frames) / wanted - 1))
    )


def draw(seed: int, seconds: float = 20.0) -> Request:
    """A request; every tempo, key, meter and choice of instruments comes up."""
    choose = random.Random(f"request {seed}")
    meter = choose.choices(METERS, (2, 6, 2))[0]
    stems = tuple(name for name in STEMS if choose.random() < 0.8)
    return Request(
        seed=seed,
        seconds=seconds,
        beat_frames=choose.choice(beats(meter)),
        meter=meter,
        tonic=choose.randrange(12),
        mode=choose.choice(MODES),
        stems=stems or ("keyboard",),
        keyboard=choose.choice(KEYBOARDS),
        lively=choose.random() < 0.5,
    )
