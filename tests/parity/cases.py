"""The requests of the parity goldens: one case for each way of using a task."""

from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ace_core.types import Song

SEED: Final = 11
STEPS: Final = 4  # of the undistilled families, with times exact in float32; turbo always takes 8
SHIFT: Final = 3.0
SCALE: Final = 7.0
CODES: Final = tuple(range(7, 64_000, 3200))  # 20 of them: 100 frames
SONG: Final = Song("calm piano, rain", "[verse]\nhello there", 10.0, 90, "F# minor", 3, "en")
SPARSE: Final = Song("a wide and slow song " * 12, "la")  # more tokens than the encoder reads


@dataclass(frozen=True, slots=True)
class Case:
    """One request. Times are seconds of the source; `samples` is its length, 0 for no source."""

    name: str
    task: str
    song: Song = SONG
    samples: int = 0
    start: float | None = None
    end: float | None = None
    tracks: tuple[str, ...] = ()
    codes: tuple[int, ...] = ()
    references: int = 0
    cover_strength: float = 1.0  # of the trajectory


SOURCE: Final = 131 * 1920 + 700  # no multiple of five frames, and a tail that is dropped
SHORT: Final = 101 * 1920 + 5  # below the shortest canvas

CASES: Final = (
    Case("text2music", "text2music"),
    Case("text2music_codes", "text2music", codes=CODES),
    Case("cover", "cover", samples=SOURCE, references=2, cover_strength=0.5),
    Case("cover_short", "cover", samples=SHORT),
    Case("repaint", "repaint", samples=SOURCE, start=2.21, end=3.5),
    Case("repaint_left", "repaint", samples=SOURCE, start=-1.01, end=1.0),
    Case("repaint_right", "repaint", samples=SOURCE, start=4.0, end=6.29),
    Case("lego", "lego", samples=SOURCE, tracks=("drums",)),
    Case("lego_range", "lego", samples=SOURCE, start=1.0, end=2.3, tracks=("bass",), references=1),
    Case("extract", "extract", SPARSE, samples=SHORT, tracks=("backing_vocals",)),
    Case("complete", "complete", samples=SOURCE, tracks=("drums", "bass")),
)
BY_NAME: Final = MappingProxyType({case.name: case for case in CASES})
