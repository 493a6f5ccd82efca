"""Measured beats and bars as places in a recording, to cut, mark and pulse by.

Bars are counted from 1 at the first downbeat and beats from 1 at the first beat. What lies between
two measured times is a whole one; behind the last time one more is expected at the usual distance,
where the recording is that long.
"""

from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Final

from ..errors import InvalidRequestError
from .measurement import Measurement

SAME_LENGTH: Final = 0.1  # seconds by which a recording may differ from the measured one
ROUNDING: Final = 0.05  # seconds by which an expected end may lie behind the recording's


@dataclass(frozen=True, slots=True)
class BeatGrid:
    """Times in seconds, rising: `beats` are empty where there was no steady pulse, `downbeats`
    where there was no meter. `seconds` is the length of the recording."""

    seconds: float
    beats: tuple[float, ...]
    downbeats: tuple[float, ...]

    @property
    def beat_lines(self) -> tuple[float, ...]:
        """Where beats begin, and where the last whole one ends."""
        return _with_end(self.beats, self.seconds)

    @property
    def bar_lines(self) -> tuple[float, ...]:
        """Where bars begin, and where the last whole one ends."""
        return _with_end(self.downbeats, self.seconds)


def beat_grid(found: Measurement) -> BeatGrid:
    """The beats of a measured recording."""
    return BeatGrid(
        seconds=found.seconds,
        beats=() if found.tempo is None else found.tempo.beats,
        downbeats=() if found.meter is None else found.meter.downbeats,
    )


def bar_span(grid: BeatGrid, first: int, count: int) -> tuple[float, float]:
    """Start and end in seconds of `count` bars from bar `first`, counted from 1.

    Raises:
        InvalidRequestError: no bars were measured, or the recording has not so many.
    """
    check_bars(grid)
    return _span(grid.bar_lines, first, count, "bars")


def beat_span(grid: BeatGrid, first: int, count: int) -> tuple[float, float]:
    """Start and end in seconds of `count` beats from beat `first`, counted from 1.

    Raises:
        InvalidRequestError: no beats were measured, or the recording has not so many.
    """
    check_beats(grid)
    return _span(grid.beat_lines, first, count, "beats")


def check_beats(grid: BeatGrid) -> None:
    """
    Raises:
        InvalidRequestError: no beats were measured.
    """
    if not grid.beats:
        raise InvalidRequestError(
            "No beats were measured in this recording: it has no steady pulse, or is shorter than "
            "three seconds. Choose seconds, or give the tempo yourself."
        )


def check_bars(grid: BeatGrid) -> None:
    """
    Raises:
        InvalidRequestError: no bars were measured.
    """
    if not grid.downbeats:
        raise InvalidRequestError(
            "No bars were measured in this recording: it has no steady pulse, or fewer than three "
            "bars. Choose beats or seconds, or give the tempo yourself."
        )


def check_same_recording(grid: BeatGrid, seconds: float) -> None:
    """
    Raises:
        InvalidRequestError: a recording of another length was measured.
    """
    if abs(grid.seconds - seconds) > SAME_LENGTH:
        raise InvalidRequestError(
            f"The beats are those of a recording of {grid.seconds:.2f} seconds, but this one is "
            f"{seconds:.2f} seconds long. Measure this recording and connect its beats."
        )


def _span(lines: tuple[float, ...], first: int, count: int, unit: str) -> tuple[float, float]:
    whole = len(lines) - 1
    if first < 1 or count < 1 or first - 1 + count > whole:
        raise InvalidRequestError(
            f"{count} {unit} from number {first} are not in this recording, which has {whole} "
            f"whole {unit}. Choose some of 1 to {whole}."
        )
    return lines[first - 1], lines[first - 1 + count]


def _with_end(times: tuple[float, ...], seconds: float) -> tuple[float, ...]:
    """`times`, and one more at their usual distance where it is inside of `seconds`."""
    if len(times) < 2:
        return times
    step = median(after - before for before, after in pairwise(times))
    end = times[-1] + step
    return (*times, min(end, seconds)) if end <= seconds + ROUNDING else times
