"""Timed tokens to timed lines and words, and these as text: LRC, LRC with a time per word, SRT."""

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from .lyric_tokens import LyricTokens
from .timestamps import Span

MIN_LINE_SECONDS: Final = 1.0  # that SRT shows a line whose start is its end
_UNSPACED: Final = r"\u3040-\u30ff\u3400-\u9fff"  # kana and Han: every character is a word
_WORD: Final = re.compile(rf"[{_UNSPACED}][^\w\s]*|[^\s{_UNSPACED}]+")


@dataclass(frozen=True, slots=True)
class TimedWord:
    """One word; `text` has no spaces around it."""

    text: str
    start: float  # seconds
    end: float


@dataclass(frozen=True, slots=True)
class TimedLine:
    """One line of the lyrics; `sung` is false for a section tag."""

    text: str
    start: float  # seconds, to the millisecond
    end: float
    words: tuple[TimedWord, ...]
    sung: bool


def timed_lines(tokens: LyricTokens, spans: Sequence[Span]) -> tuple[TimedLine, ...]:
    """The lines of the lyrics, of which `spans` has a time for each token.

    A line ends with the token that has its line end; blank lines are left out.
    """
    return tuple(_timed_line(tokens, spans, line) for line in _line_tokens(tokens))


def _line_tokens(tokens: LyricTokens) -> Iterator[range]:
    """The indices of the tokens of each line that is not blank."""
    start = 0
    for stop, text in enumerate(tokens.texts, start=1):
        if "\n" in text or stop == len(tokens.texts):
            if "".join(tokens.texts[start:stop]).strip():
                yield range(start, stop)
            start = stop


def _timed_line(tokens: LyricTokens, spans: Sequence[Span], line: range) -> TimedLine:
    text = "".join(tokens.texts[index] for index in line)
    token_of = [index for index in line for _ in tokens.texts[index]]  # of each character
    words = tuple(
        TimedWord(
            match[0], spans[token_of[match.start()]].start, spans[token_of[match.end() - 1]].end
        )
        for match in _WORD.finditer(text)
    )
    return TimedLine(
        text=text.strip(),
        start=round(spans[line[0]].start, 3),
        end=round(spans[line[-1]].end, 3),
        words=words,
        sung=any(tokens.sung[index] for index in line if tokens.texts[index].strip()),
    )


def lrc(lines: Sequence[TimedLine]) -> str:
    """`[mm:ss.xx]text`, as music players read it."""
    return "\n".join(f"[{_minutes(line.start)}]{line.text}" for line in lines)


def karaoke(lines: Sequence[TimedLine]) -> str:
    """LRC with a time before every word, and one after the last."""
    return "\n".join(
        f"[{_minutes(line.start)}]"
        + " ".join(f"<{_minutes(word.start)}>{word.text}" for word in line.words)
        + f" <{_minutes(line.words[-1].end)}>"
        for line in lines
    )


def srt(lines: Sequence[TimedLine]) -> str:
    """Subtitles for a video."""
    next_starts = [line.start for line in lines[1:]]
    ends = [*next_starts, lines[-1].start + MIN_LINE_SECONDS] if lines else []
    entries = [
        f"{number}\n{_hours(line.start)} --> "
        f"{_hours(line.end if line.end > line.start else end)}\n{line.text}\n"
        for number, (line, end) in enumerate(zip(lines, ends, strict=True), start=1)
    ]
    return "\n".join(entries)


FORMATS: Final[
    dict[str, tuple[str, Callable[[Sequence[TimedLine]], str]]]
] = {  # with their suffixes
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
