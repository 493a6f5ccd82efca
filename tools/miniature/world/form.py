"""The form of a piece: sections of whole bars, and where bars and their parts lie in frames."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum
from typing import Final

import torch
from torch import Tensor

from .channels import FIRST_FRAME
from .request import Request

PHRASE: Final = 4  # bars
RING_OUT: Final = 6  # frames after the last bar
GAIN: Final = {"intro": 0.8, "verse": 0.85, "chorus": 1.0, "bridge": 0.75, "outro": 0.85}
ORDER: Final = ("verse", "chorus", "verse", "chorus", "bridge", "chorus")


@dataclass(frozen=True, slots=True)
class Section:
    name: str
    first: int  # bar of the piece
    bars: int

    @property
    def gain(self) -> float:
        return GAIN[self.name]


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of the piece, and the frames of its beats and eighths."""

    request: Request
    section: Section
    index: int  # in the section
    last: bool  # of the piece

    @property
    def start(self) -> int:
        """Frame."""
        return FIRST_FRAME + (self.section.first + self.index) * self.request.bar_frames

    @property
    def eighths(self) -> int:
        return 6 if self.request.meter == 6 else 2 * self.request.meter

    def frame(self, eighth: float) -> int:
        """The frame of that eighth, from 0. Where a beat has an odd number of frames the second
        eighth is half a frame late, all through the piece: a light swing, not a limp."""
        per_beat = 3 if self.request.meter == 6 else 2
        beat, rest = divmod(eighth, per_beat)
        frames = self.request.beat_frames
        return self.start + int(beat) * frames + _within(frames, per_beat, rest)

    def on_beat(self, eighth: int) -> bool:
        return eighth % (3 if self.request.meter == 6 else 2) == 0

    @property
    def ends_section(self) -> bool:
        return self.index == self.section.bars - 1


def places(beat_frames: int, meter: int) -> list[int]:
    """The frame of each sixteenth of a beat from its start: four, or six in 6/8."""
    per_beat = 3 if meter == 6 else 2
    return [_within(beat_frames, per_beat, place / 2) for place in range(2 * per_beat)]


class Accent(IntEnum):
    """What a frame is in its bar."""

    NONE = 0
    SIXTEENTH = 1
    EIGHTH = 2
    BEAT = 3
    DOWNBEAT = 4


def accents(request: Request, frames: int) -> Tensor:
    """The `Accent` of each frame of a piece, [frames]."""
    bar = torch.full((request.bar_frames,), Accent.NONE)
    for beat in range(0, request.bar_frames, request.beat_frames):
        for number, place in enumerate(places(request.beat_frames, request.meter)):
            bar[beat + place] = Accent.SIXTEENTH if number % 2 else Accent.EIGHTH
        bar[beat] = Accent.BEAT
    bar[0] = Accent.DOWNBEAT
    found = bar[(torch.arange(frames) - FIRST_FRAME) % request.bar_frames]
    found[:FIRST_FRAME] = Accent.NONE
    return found


def _within(frames: int, per_beat: int, eighth: float) -> int:
    if eighth == 1 and per_beat == 2:
        return frames - frames // 2
    return round(frames * eighth / per_beat)


def sections(request: Request) -> tuple[Section, ...]:
    """As many whole bars as fit, at least one: intro, phrases of verse and chorus, outro."""
    bars = max(1, (request.frames - FIRST_FRAME - RING_OUT) // request.bar_frames)
    intro = 2 if bars >= 10 else 1 if bars >= 6 else 0
    outro = 2 if bars >= 10 else 1 if bars >= 3 else 0
    lengths = [("intro", intro)]
    left = bars - intro - outro
    if left > PHRASE and left % PHRASE == 1:  # no section of a single bar
        left, outro = left - 1, outro + 1
    for place in range(-(-left // PHRASE)):
        name = ORDER[place] if place < len(ORDER) else ORDER[place % 2]
        lengths.append((name, min(PHRASE, left - place * PHRASE)))
    lengths.append(("outro", outro))
    found, first = [], 0
    for name, length in lengths:
        if length:
            found.append(Section(name, first, length))
            first += length
    return tuple(found)


def bars_of(request: Request, form: tuple[Section, ...]) -> Iterator[Bar]:
    for section in form:
        for index in range(section.bars):
            yield Bar(request, section, index, section is form[-1] and index == section.bars - 1)
