"""Numbers that people write into a text field: times of a schedule, seeds of a batch."""

import re

from ..errors import InvalidScheduleError
from .noise import check_seed

_DRAWN = ("-1", "random")


def written_times(text: str) -> list[float]:
    """Times separated by commas, spaces or lines.

    Raises:
        InvalidScheduleError: something in it is no number.
    """
    times = []
    for word in _words(text):
        try:
            times.append(float(word))
        except ValueError as error:
            raise InvalidScheduleError(
                f"{word!r} is not a time. Write numbers falling from 1 to 0, as in 1, 0.75, 0.5, "
                "0.25, 0."
            ) from error
    return times


def written_seeds(text: str) -> list[int | None]:
    """Seeds separated by commas, spaces or lines; -1 or `random` is drawn, given as None.

    Raises:
        InvalidScheduleError: something in it is no seed.
    """
    return [None if word.lower() in _DRAWN else _seed(word) for word in _words(text)]


def _seed(word: str) -> int:
    if not word.isdecimal():
        raise InvalidScheduleError(
            f"{word!r} is not a seed. Write whole numbers from 0, and -1 or random for one that is "
            "drawn, as in 7, 8, -1."
        )
    return check_seed(int(word))


def _words(text: str) -> list[str]:
    return [word for word in re.split(r"[\s,;]+", text) if word]
