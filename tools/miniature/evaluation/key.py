"""The key of a roll, by the notes of bass, keyboard and synth.

How often each plays each step above the tonic is counted over composed pieces, once for each mode;
a roll is in the key under which its notes are most likely.
"""

from collections.abc import Mapping
from functools import lru_cache
from typing import Final

import torch
from torch import Tensor

from ace_core.measure.key import KEYS, key_number

from ..world.channels import BASS, BASS_LOWEST, KEYBOARD, KEYBOARD_LOWEST, SYNTH, SYNTH_LOWEST
from ..world.harmony import SCALES
from ..world.piece import compose
from ..world.request import MODES, draw
from .strokes import WHOLE, onsets

TONAL: Final = ((BASS, BASS_LOWEST), (KEYBOARD, KEYBOARD_LOWEST), (SYNTH, SYNTH_LOWEST))
PIECES: Final = 200  # that the counts are made of, of 20 s
UNSEEN: Final = 0.5  # notes added to each count
STRAY: Final = 0.03  # share of notes that may be any
LEADING: Final = 11  # semitones: minor keys raise their seventh step


def key(roll: Tensor) -> str | None:
    """The most likely key of a roll [T, 64], as in "A minor"; None: it has no notes."""
    scores = key_scores(roll)
    return None if scores is None else KEYS[int(scores.argmax())]


def key_scores(roll: Tensor) -> Tensor | None:
    """Log likelihood of each of `KEYS`, [24]; None: there are no notes."""
    notes = pitch_classes(roll)
    if not notes.any():
        return None
    modes = _likelihoods()
    scores = [(notes * modes[mode].roll(tonic, 1)).sum() for mode in MODES for tonic in range(12)]
    return torch.stack(scores)


def in_key(roll: Tensor, name: str, within: slice = WHOLE) -> float | None:
    """Share of a roll's notes `within` some frames that the key has; None: there are no notes."""
    notes = pitch_classes(roll, within).sum(dim=0)
    total = float(notes.sum())
    if not total:
        return None
    minor, tonic = divmod(key_number(name), 12)
    steps = {*SCALES[MODES[minor]], *((LEADING,) if minor else ())}
    return float(notes[[(tonic + step) % 12 for step in steps]].sum()) / total


def pitch_classes(roll: Tensor, within: slice = WHOLE) -> Tensor:
    """How often each part begins a note of each pitch class `within` some frames, [parts, 12] from
    C upwards."""
    begun = onsets(roll)[within].float()
    counts = torch.zeros(len(TONAL), 12)
    for part, (channels, lowest) in enumerate(TONAL):
        classes = (lowest + torch.arange(len(channels))) % 12
        counts[part].index_add_(0, classes, begun[:, channels.start : channels.stop].sum(dim=0))
    return counts


@lru_cache(maxsize=1)
def _likelihoods() -> Mapping[str, Tensor]:
    """By mode: log of each part's share of each step above the tonic, [parts, 12]."""
    counts = {mode: torch.full((len(TONAL), 12), UNSEEN) for mode in MODES}
    for seed in range(PIECES):
        request = draw(seed)
        counts[request.mode] += pitch_classes(compose(request).roll).roll(-request.tonic, 1)
    shares = {mode: count / count.sum(dim=1, keepdim=True) for mode, count in counts.items()}
    return {mode: ((1 - STRAY) * share + STRAY / 12).log() for mode, share in shares.items()}
