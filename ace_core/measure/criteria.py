"""By what takes of one song are judged: names, weights, and whether the song asks for it at all."""

import math
from collections.abc import Mapping
from typing import Final

from ..errors import InvalidRequestError
from ..parsing import quoted
from ..types import Song
from .tempo import TEMPO_RANGE

ASKED: Final = {  # criteria that compare with a field of the song, and what the field is
    "tempo": ("bpm", "tempo"),
    "tempo_or_octave": ("bpm", "tempo"),
    "key": ("key", "key"),
    "meter": ("time_signature", "time signature"),
    "length": ("seconds", "length"),
}
SCORED: Final = ("lyrics", "quality")  # by the models
SOUND: Final = ("clipping", "ending")  # faults of the sound
CRITERIA: Final = (*ASKED, *SCORED, *SOUND)
YES_OR_NO: Final = (*ASKED, *SOUND)  # criteria that a take keeps or does not
WEIGHT_RANGE: Final = (0.01, 100.0)

Weights = Mapping[str, float]  # of criteria, in the order in which they were given


def parse_preference(text: str, name: str = "prefer") -> Weights:
    """Criteria and their weights, as in "tempo, key:2"; a weight that is not given is 1. `name` is
    that of the field, for messages.

    Raises:
        InvalidRequestError: no criterion, an unknown one, one given twice, or a bad weight.
    """
    weights: dict[str, float] = {}
    for part in filter(None, (each.strip() for each in text.split(","))):
        criterion, _, weight = (piece.strip() for piece in part.partition(":"))
        if criterion not in CRITERIA:
            raise InvalidRequestError(
                f"`{name}` names {quoted(criterion)}. Choose from {', '.join(CRITERIA)}."
            )
        if criterion in weights:
            raise InvalidRequestError(f"`{name}` names {criterion} twice. Name it once.")
        weights[criterion] = _weight(name, part, weight) if ":" in part else 1.0
    if not weights:
        raise InvalidRequestError(
            f"`{name}` names no criterion. Give one or more of {', '.join(CRITERIA)}, as in "
            "tempo, key."
        )
    return weights


def parse_conditions(text: str, name: str = "until") -> Weights:
    """Criteria that a take keeps or does not, each of weight 1.

    Raises:
        InvalidRequestError: see `parse_preference`; or a criterion that has no yes and no.
    """
    weights = parse_preference(text, name)
    graded = [criterion for criterion in weights if criterion not in YES_OR_NO]
    if graded:
        raise InvalidRequestError(
            f"`{name}` names {graded[0]}, a score without a limit from which it fits. Choose from "
            f"{', '.join(YES_OR_NO)}, and rank by {graded[0]} with `prefer`."
        )
    if any(weight != 1 for weight in weights.values()):
        raise InvalidRequestError(
            f"`{name}` has weights, but all that it names must fit. Leave the weights out."
        )
    return weights


def check_asked(weights: Weights, song: Song, name: str) -> None:
    """
    Raises:
        InvalidRequestError: a criterion compares with what the song leaves open, with a tempo
            beyond the measured ones, or with the singing of a song that nobody sings.
    """
    for criterion in weights:
        if criterion in ASKED:
            _check_given(criterion, song, name)
    lowest, highest = TEMPO_RANGE
    if "tempo" in weights and song.bpm is not None and not lowest <= song.bpm <= highest:
        raise InvalidRequestError(
            f"`{name}` names tempo, but {song.bpm} BPM is outside the {lowest:g} to {highest:g} "
            "BPM that are measured. Name tempo_or_octave in its place."
        )
    if "lyrics" in weights and song.instrumental:
        raise InvalidRequestError(
            f"`{name}` names lyrics, but nobody sings in this song. Leave lyrics out of it, or "
            "give the song lyrics."
        )


def _check_given(criterion: str, song: Song, name: str) -> None:
    field, words = ASKED[criterion]
    if getattr(song, field) is None:
        raise InvalidRequestError(
            f"`{name}` names {criterion}, but the song asks for no {words}, so nothing can be "
            f"compared. Give the song a {words}, or leave {criterion} out of `{name}`."
        )


def _weight(name: str, part: str, text: str) -> float:
    low, high = WEIGHT_RANGE
    try:
        weight = float(text)
    except ValueError:
        weight = math.nan
    if not low <= weight <= high:
        raise InvalidRequestError(
            f"`{name}` has {quoted(part)}. A weight is a number from {low:g} to {high:g}, as in "
            "tempo:2."
        )
    return weight
