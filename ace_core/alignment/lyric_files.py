"""Timed lyrics as text: LRC, LRC with a time a word, SRT."""

from collections.abc import Callable, Sequence
from typing import Final

from .lines import Line

SHORTEST: Final = 1.0  # seconds that SRT shows a line which has no length of its own


def lrc(lines: Sequence[Line]) -> str:
    """`[mm:ss.xx]text`, as music players read it."""
    return "\n".join(f"[{_minutes(line.start)}]{line.text}" for line in lines)


def karaoke(lines: Sequence[Line]) -> str:
    """LRC with a time before every word, and one behind the last."""
    return "\n".join(
        f"[{_minutes(line.start)}]"
        + " ".join(f"<{_minutes(word.start)}>{word.text}" for word in line.words)
        + f" <{_minutes(line.words[-1].end)}>"
        for line in lines
    )


def srt(lines: Sequence[Line]) -> str:
    """Subtitles for a video."""
    follows = [line.start for line in lines[1:]]
    ends = [*follows, lines[-1].start + SHORTEST] if lines else []
    shown = [
        f"{number}\n{_hours(line.start)} --> "
        f"{_hours(line.end if line.end > line.start else end)}\n{line.text}\n"
        for number, (line, end) in enumerate(zip(lines, ends, strict=True), start=1)
    ]
    return "\n".join(shown)


FORMATS: Final[dict[str, tuple[str, Callable[[Sequence[Line]], str]]]] = {  # with their suffixes
    "lrc": ("lrc", lrc),
    "karaoke": ("lrc", karaoke),
    "srt": ("srt", srt),
}


def _minutes(seconds: float) -> str:
    whole, hundredths = f"{seconds:.2f}".split(".")
    minutes, rest = divmod(int(whole), 60)
    return f"{minutes:02d}:{rest:02d}.{hundredths}"


def _hours(seconds: float) -> str:
    whole, thousandths = f"{seconds:.3f}".split(".")
    minutes, rest = divmod(int(whole), 60)
    return f"{minutes // 60:02d}:{minutes % 60:02d}:{rest:02d},{thousandths}"
