"""Where strokes are written down: the roll of a piece while it is composed."""

import random
from typing import Final

import torch
from torch import Tensor

from ace_core.constants import LATENT_CHANNELS

from .channels import BASS, BASS_LOWEST, KEYBOARD, KEYBOARD_LOWEST, RESTRIKE, SYNTH, SYNTH_LOWEST

UNEVEN: Final = 0.06  # of a stroke's strength, as hands are
SHORTEST_HOLD: Final = 4  # frames that a note must still last to be struck again
BASS_NOTES: Final = range(BASS_LOWEST, BASS_LOWEST + len(BASS))  # MIDI numbers
KEYBOARD_NOTES: Final = range(KEYBOARD_LOWEST, KEYBOARD_LOWEST + len(KEYBOARD))
SYNTH_NOTES: Final = range(SYNTH_LOWEST, SYNTH_LOWEST + len(SYNTH))


class Strokes:
    """A roll [T, 64] in the making; a sound is struck once in a frame, by the harder stroke."""

    def __init__(self, frames: int, choose: random.Random) -> None:
        self.roll: Tensor = torch.zeros(frames, LATENT_CHANNELS)
        self._choose = choose

    def strike(self, frame: int, channel: int, strength: float) -> None:
        """A stroke beyond the end of the piece is left out."""
        uneven = strength * self._choose.uniform(1 - UNEVEN, 1 + UNEVEN)
        if frame < len(self.roll):
            self.roll[frame, channel] = max(float(self.roll[frame, channel]), uneven)

    def bass(self, frame: int, midi: int, strength: float) -> None:
        self.strike(frame, BASS[BASS_NOTES.index(midi)], strength)

    def synth(self, frame: int, midi: int, strength: float) -> None:
        self.strike(frame, SYNTH[SYNTH_NOTES.index(midi)], strength)

    def hold(self, frame: int, until: int, midi: int, strength: float, sustain: float) -> None:
        """A note of the keyboard from `frame` until another; each further stroke of it is
        `sustain` times as hard, and exactly so, or the tone would not be steady."""
        channel = KEYBOARD[KEYBOARD_NOTES.index(midi)]
        level = strength * self._choose.uniform(1 - UNEVEN, 1 + UNEVEN)
        for at in range(frame, min(until, len(self.roll)), RESTRIKE):
            if at == frame or until - at >= SHORTEST_HOLD:
                self.roll[at, channel] = max(float(self.roll[at, channel]), level)
            level *= sustain
