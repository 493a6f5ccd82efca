"""How well a take keeps what was asked, by any mix of criteria, and a ranking of several takes.

Every verdict has its reason in words, so that a choice can be checked by ear.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ..constants import TIME_SIGNATURES
from ..types import Song
from .criteria import Weights
from .key import RELATIONS, relation
from .measurement import Measurement

TOLERANCE: Final = 0.04  # of a tempo or a length: the usual limit for estimated tempi
OCTAVES: Final = {2.0: "twice", 0.5: "half", 3.0: "three times", 1 / 3: "a third of"}
OCTAVE_SCORE: Final = 0.5  # of a tempo that is one of these
FARTHEST: Final = 0.2  # of a tempo: the deviation whose score is 0
METERS: Final = {beats: f"{beats}/{8 if beats == 6 else 4}" for beats in TIME_SIGNATURES}
SAME_METERS: Final = {2: 4}  # asked: measured; bars of two and of four quarters look alike


@dataclass(frozen=True, slots=True)
class Verdict:
    """One criterion of one take: `score` 0 to 1; `fits` None where the criterion has no limit."""

    criterion: str
    score: float
    fits: bool | None
    reason: str


@dataclass(frozen=True, slots=True)
class Fit:
    """The verdicts of one take, and their mean by weight, 0 to 1."""

    verdicts: tuple[Verdict, ...]
    score: float

    @property
    def fits(self) -> bool:
        """Whether every criterion that has a limit fits."""
        return all(verdict.fits is not False for verdict in self.verdicts)

    def text(self) -> str:
        return "; ".join(verdict.reason for verdict in self.verdicts)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON: the mean, whether all fits, why, and each verdict by its criterion."""
        each = {
            verdict.criterion: {
                "score": verdict.score,
                "fits": verdict.fits,
                "reason": verdict.reason,
            }
            for verdict in self.verdicts
        }
        return {"score": self.score, "fits": self.fits, "reason": self.text(), "criteria": each}


def judge(
    weights: Weights,
    song: Song,
    found: Measurement | None,
    scores: Mapping[str, float] | None = None,
) -> Fit:
    """How well a take of `song`, measured as `found`, keeps what `weights` name. `scores`, 0 to 1,
    has those that the models give, by the names "lyrics" and "quality"; where nothing else is named
    nothing needs to be measured.

    Everything that is compared must be given by `song`: see `check_asked`.
    """
    given = scores or {}
    measured = [name for name in weights if name not in given]
    if measured and found is None:
        raise ValueError(f"nothing was measured that {', '.join(measured)} could be judged by")
    verdicts = tuple(
        Verdict(name, given[name], None, f"{name} {given[name]:.4f}")
        if name in given
        else JUDGES[name](song, found)  # pyright: ignore[reportArgumentType]  checked above
        for name in weights
    )
    total = sum(weights.values())
    mean = sum(weights[each.criterion] * each.score for each in verdicts) / total
    return Fit(verdicts, mean)


def ranked(scores: Sequence[float]) -> list[int]:
    """The indices of `scores`, the highest first; of equal ones the earlier."""
    return sorted(range(len(scores)), key=lambda item: -scores[item])


def ranking_lines(judged: Sequence[tuple[float, str]], names: Sequence[str]) -> list[str]:
    """One line per take, the best first, of its score and the reason."""
    return [
        f"{rank}. {names[item]}: {judged[item][0]:.4f}; {judged[item][1]}"
        for rank, item in enumerate(ranked([score for score, _ in judged]), start=1)
    ]


def _tempo(song: Song, found: Measurement) -> Verdict:
    return _tempo_verdict("tempo", song, found)


def _tempo_or_octave(song: Song, found: Measurement) -> Verdict:
    return _tempo_verdict("tempo_or_octave", song, found)


def _tempo_verdict(criterion: str, song: Song, found: Measurement) -> Verdict:
    asked = song.bpm or 0
    if found.tempo is None:
        return Verdict(criterion, 0.0, False, f"no steady pulse, {asked} BPM were asked")
    bpm = found.tempo.bpm
    off = bpm / asked - 1
    if abs(off) <= TOLERANCE:
        return Verdict(criterion, 1.0, True, f"{bpm:.1f} BPM of {asked} asked")
    for octave, words in OCTAVES.items():
        if abs(off + 1 - octave) <= TOLERANCE * octave:
            kept = criterion == "tempo_or_octave"
            reason = f"{bpm:.1f} BPM, {words} the {asked} asked"
            return Verdict(criterion, 1.0 if kept else OCTAVE_SCORE, kept, reason)
    near = max(0.0, (FARTHEST - abs(off)) / (FARTHEST - TOLERANCE)) * OCTAVE_SCORE
    reason = f"{bpm:.1f} BPM, {off:+.0%} off the {asked} asked"
    return Verdict(criterion, near, False, reason)


def _key(song: Song, found: Measurement) -> Verdict:
    asked = song.key or ""
    if found.key is None:
        return Verdict("key", 0.0, False, f"no pitch, {asked} was asked")
    related = relation(asked, found.key.name)
    if related == "the same":
        return Verdict("key", 1.0, True, f"{asked} as asked")
    reason = f"{found.key.name}, {related} to the {asked} asked"
    if related == "a fifth apart":
        reason = f"{found.key.name}, a fifth from the {asked} asked"
    return Verdict("key", RELATIONS[related], False, reason)


def _meter(song: Song, found: Measurement) -> Verdict:
    asked = song.time_signature or 0
    if found.meter is None:
        return Verdict("meter", 0.0, False, f"no meter, {METERS[asked]} was asked")
    measured = found.meter.time_signature
    if measured == asked:
        return Verdict("meter", 1.0, True, f"{METERS[asked]} as asked")
    if SAME_METERS.get(asked) == measured:
        reason = f"{METERS[measured]}, not told apart from the {METERS[asked]} asked"
        return Verdict("meter", 1.0, True, reason)
    return Verdict("meter", 0.0, False, f"{METERS[measured]}, {METERS[asked]} was asked")


def _length(song: Song, found: Measurement) -> Verdict:
    """By when the last sound ends: silence at the end is no music."""
    asked = song.seconds or math.inf
    sounding = found.seconds - found.levels.silence_after
    share = min(sounding, asked) / max(sounding, asked)
    fits = share >= 1 - TOLERANCE
    return Verdict("length", share, fits, f"{sounding:.1f} s of {asked:g} s asked")


def _clipping(song: Song, found: Measurement) -> Verdict:
    clipped = found.levels.clipped
    reason = f"{clipped} samples clip" if clipped else "nothing clips"
    return Verdict("clipping", float(not clipped), not clipped, reason)


def _ending(song: Song, found: Measurement) -> Verdict:
    levels = found.levels
    if levels.loudness is None:
        return Verdict("ending", 0.0, False, "silent, so without an ending")
    if levels.cut_off:
        return Verdict("ending", 0.0, False, "the end is cut off")
    fades = f"fades out over {levels.fade_out:.1f} s" if levels.fade_out else "comes to an end"
    return Verdict("ending", 1.0, True, fades)


JUDGES: Final[Mapping[str, Callable[[Song, Measurement], Verdict]]] = {
    "tempo": _tempo,
    "tempo_or_octave": _tempo_or_octave,
    "key": _key,
    "meter": _meter,
    "length": _length,
    "clipping": _clipping,
    "ending": _ending,
}
