"""The form of a piece: sections of whole bars, and where bars and their parts lie in frames."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

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
        within = frames - frames // 2 if rest == 1 and per_beat == 2 else frames * rest / per_beat
        return self.start + int(beat) * frames + round(within)

    def on_beat(self, eighth: int) -> bool:
        return eighth % (3 if self.request.meter == 6 else 2) == 0

    @property
    def ends_section(self) -> bool:
        return self.index == self.section.bars - 1


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
