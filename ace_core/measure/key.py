"""Musical key of a recording: its pitch classes against the profiles of the 24 keys.

A major key and its relative minor have the same notes; the bass, which rests on the tonic more
often than other parts, tells them apart.
Source: Krumhansl 1990, "Cognitive Foundations of Musical Pitch", for the profiles and for matching
them by correlation; MIREX, task "Audio Key Detection", for the scores of related keys.
"""

from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ..constants import MODES

MAJOR: Final = (6.35, 2.23, 3.48, 2.33, 4.38, 4.09, 2.52, 5.19, 2.39, 3.66, 2.29, 2.88)
MINOR: Final = (6.33, 2.68, 3.52, 5.38, 2.60, 3.53, 2.54, 4.75, 3.98, 2.69, 3.34, 3.17)
PITCHES: Final = ("C", "C#", "D", "D#", "E", "F", "F#", "G", "G#", "A", "A#", "B")
KEYS: Final = tuple(f"{pitch} {mode}" for mode in MODES for pitch in PITCHES)
SEMITONES: Final = {"": 0, "#": 1, "♯": 1, "b": -1, "♭": -1}  # of an accidental
RELATIONS: Final = {  # of two keys: the score of MIREX
    "the same": 1.0,
    "a fifth apart": 0.5,
    "relative": 0.3,
    "parallel": 0.2,
    "unrelated": 0.0,
}
BASS_WEIGHT: Final = 0.45  # of the tonic's share of the bass, beside a correlation


@dataclass(frozen=True, slots=True)
class Key:
    """The best key, the second best, and by how much the first scores higher, 0 to about 1.
    `tuning` in cents above A = 440 Hz, -50 to 50."""

    name: str
    runner_up: str
    confidence: float
    tuning: float


def key(classes: tuple[Tensor, Tensor], tuning: float) -> Key | None:
    """The key of `pitch_classes`, None where no pitch is heard. `tuning` in semitones."""
    whole, bass = classes
    if not whole.any():
        return None
    scores = key_scores(_shares(whole), _shares(bass))
    (first, second), (name, runner_up) = scores.topk(2)
    return Key(
        name=KEYS[int(name)],
        runner_up=KEYS[int(runner_up)],
        confidence=float(first - second),
        tuning=100 * tuning,
    )


def key_number(name: str) -> int:
    """Index in `KEYS` of a key in any spelling that a song may have: "Bb minor" and "A# minor" have
    one."""
    note, mode = name.split()
    pitch = PITCHES.index(note[0]) + SEMITONES[note[1:]]
    return MODES.index(mode) * len(PITCHES) + pitch % len(PITCHES)


def relation(asked: str, found: str) -> str:
    """How `found` is related to `asked`, one of `RELATIONS`; a fifth up or down."""
    (mode, pitch), (other_mode, other) = (divmod(key_number(each), 12) for each in (asked, found))
    up = (other - pitch) % 12
    if mode == other_mode:
        return {0: "the same", 5: "a fifth apart", 7: "a fifth apart"}.get(up, "unrelated")
    relative = 9 if MODES[mode] == "major" else 3
    return {0: "parallel", relative: "relative"}.get(up, "unrelated")


def key_scores(whole: Tensor, bass: Tensor) -> Tensor:
    """Score of each of `KEYS`, [24], for the shares of the pitch classes [12]."""
    profiles = torch.tensor([MAJOR, MINOR], dtype=whole.dtype)
    rolled = torch.stack([row.roll(pitch) for row in profiles for pitch in range(12)])  # [24, 12]
    similar = torch.corrcoef(torch.cat([whole[None], rolled]))[0, 1:].nan_to_num()
    return similar + BASS_WEIGHT * bass.repeat(2)


def _shares(values: Tensor) -> Tensor:
    """[12] that sum to 1, or all 0."""
    return values / values.sum().clamp(min=1e-12)
