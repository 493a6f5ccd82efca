"""What a code of the family says of its five frames: when, which drum, which chord, which note.

The digits of a code are meant, not found by training: a language model can then learn to write
them, and an engineer can read them. Tokenizer and detokenizer are taught this table
(`codes/train.py`).

| digit | levels | value |
|---|---|---|
| 0 | 6 | frame of the main onset, from 1; 0: nothing begins |
| 1 | 5 | drums at the onset: none, hat or shaker, kick, snare or clap or tom, crash |
| 2 | 13 | pitch class of the bass at the onset, or of a whole chord's root, from 1 (C); 0: none |
| 3, 4 | 6, 4 | note of the synth, as 4 * digit 3 + digit 4, from 1; 0: none |
"""

from typing import Final

import torch
from torch import Tensor

from ace_core.constants import FRAMES_PER_CODE, LATENT_CHANNELS
from tools.miniature.world.channels import (
    BASS,
    BASS_LOWEST,
    CLAP,
    CRASH,
    HAT,
    KEY_CLICK,
    KEYBOARD,
    KEYBOARD_LOWEST,
    KICK,
    OPEN_HAT,
    SHAKER,
    SNARE,
    SYNTH,
    TOM,
)

LEVELS: Final = (6, 5, 13, 6, 4)  # least significant first
CODES: Final = 6 * 5 * 13 * 6 * 4
STRUCK: Final = 0.3  # of a full stroke: what is softer is none
DRUMS: Final = ((HAT, OPEN_HAT, SHAKER), (KICK,), (SNARE, CLAP, TOM), (CRASH,))  # from 1
PLAYED: Final = ((), (HAT,), (KICK,), (SNARE,), (KICK, CRASH))  # when a code is played
SALIENCE: Final = {  # of an onset; the largest sum is the main one
    HAT: 1.0,
    OPEN_HAT: 1.0,
    SHAKER: 1.0,
    KEY_CLICK: 1.5,
    KICK: 2.5,
    SNARE: 2.5,
    CLAP: 2.5,
    TOM: 2.5,
    CRASH: 3.0,
    **dict.fromkeys(BASS, 3.0),
    **dict.fromkeys(SYNTH, 3.0),
    **dict.fromkeys(KEYBOARD, 0.2),
}
TRIADS: Final = ((0, 4, 7), (0, 3, 7), (0, 3, 6))


def digits(rolls: Tensor) -> Tensor:
    """The digits [M, 5] of codes whose frames [M, 5, 64] are given in full strokes."""
    struck = rolls > STRUCK
    salience = torch.zeros(LATENT_CHANNELS)
    salience[list(SALIENCE)] = torch.tensor(list(SALIENCE.values()))
    weight = (struck * salience).sum(dim=2)  # [M, 5]
    strongest, place = weight.max(dim=1)
    there = strongest > 0
    frame = struck[torch.arange(len(rolls)), place]  # [M, 64]
    drums = torch.zeros(len(rolls), dtype=torch.long)
    for kind, channels in enumerate(DRUMS, start=1):
        drums[frame[:, list(channels)].any(dim=1)] = kind
    note = _first(frame[:, list(SYNTH)])
    found = (place + 1, drums, _harmony(frame), note // LEVELS[4], note % LEVELS[4])
    return torch.stack(found, dim=1) * there.unsqueeze(1)


def codes(rolls: Tensor) -> Tensor:
    """The codes [M] of frames [M, 5, 64] in full strokes."""
    return join(digits(rolls))


def codes_of_roll(roll: Tensor) -> Tensor:
    """The codes [T / 5] of a roll [T, 64]; frames that fill no code are left out."""
    whole = roll[: len(roll) // FRAMES_PER_CODE * FRAMES_PER_CODE]
    return codes(whole.view(-1, FRAMES_PER_CODE, roll.shape[1]))


def join(digits: Tensor) -> Tensor:
    """Digits [..., 5] to codes [...], as the quantizer of the model orders them."""
    return (digits * _place_values()).sum(dim=-1)


def split(codes: Tensor) -> Tensor:
    """Codes [...] to digits [..., 5]."""
    return codes.unsqueeze(-1) // _place_values() % torch.tensor(LEVELS)


def played(digits: Tensor) -> Tensor:
    """The frames [M, 5, 64] that a code stands for, in full strokes: drum, bass and synth at its
    onset. A code without an onset is silent."""
    rolls = torch.zeros(len(digits), FRAMES_PER_CODE + 1, LATENT_CHANNELS)
    every, when = torch.arange(len(digits)), digits[:, 0]
    for kind, channels in enumerate(PLAYED):
        for channel in channels:
            rolls[every, when, channel] = (digits[:, 1] == kind).float()
    for pitch_class in range(12):
        channel = BASS[(pitch_class - BASS_LOWEST) % 12]
        rolls[every, when, channel] = (digits[:, 2] == pitch_class + 1).float()
    note = digits[:, 3] * LEVELS[4] + digits[:, 4]
    for place, channel in enumerate(SYNTH, start=1):
        rolls[every, when, channel] = (note == place).float()
    return rolls[:, 1:]  # what has no onset was written before the first frame


def _harmony(frame: Tensor) -> Tensor:
    """[M]: pitch class of the bass in a frame [M, 64], else of its chord's root, from 1; or 0."""
    bass = _first(frame[:, list(BASS)])
    low = torch.where(bass > 0, (bass - 1 + BASS_LOWEST) % 12 + 1, 0)
    classes = torch.zeros(len(frame), 12, dtype=torch.bool)
    for place, channel in enumerate(KEYBOARD):
        classes[:, (KEYBOARD_LOWEST + place) % 12] |= frame[:, channel]
    root = torch.zeros(len(frame), dtype=torch.long)
    for pitch_class in range(12):
        for triad in TRIADS:
            whole = classes[:, [(pitch_class + each) % 12 for each in triad]].all(dim=1)
            root[whole & (root == 0)] = pitch_class + 1
    return torch.where(low > 0, low, root)


def _first(struck: Tensor) -> Tensor:
    """[M]: the first of the channels [M, C] that is struck, from 1, or 0."""
    return torch.where(struck.any(dim=1), struck.int().argmax(dim=1) + 1, 0)


def _place_values() -> Tensor:
    values = [1]
    for levels in LEVELS[:-1]:
        values.append(values[-1] * levels)
    return torch.tensor(values)
