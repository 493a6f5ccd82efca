"""Which channel of a roll is which sound, and how seconds, frames and tempi fit together."""

from types import MappingProxyType
from typing import Final

from ace_core.constants import LATENT_HOP, LATENT_RATE, SAMPLE_RATE

KICK, SNARE, HAT, OPEN_HAT, CRASH, TOM, CLAP, SHAKER, KEY_CLICK = range(9)
BASS, KEYBOARD, SYNTH = range(9, 21), range(21, 41), range(41, 64)  # a channel per semitone
BASS_LOWEST: Final = 36  # MIDI number of the first of each: C2, F3, G4
KEYBOARD_LOWEST: Final = 53
SYNTH_LOWEST: Final = 67
STEMS: Final = MappingProxyType(
    {
        "drums": tuple(range(KICK, KEY_CLICK)),
        "bass": tuple(BASS),
        "keyboard": (KEY_CLICK, *KEYBOARD),
        "synth": tuple(SYNTH),
    }
)
STEP: Final = 192  # samples: the hop of the lapped transform, a tenth of a latent frame
ONSET: Final = 96  # samples between the start of a latent frame and that of its sounds
LONGEST: Final = 79 * STEP  # samples of a sound, 316 ms
RESTRIKE: Final = 7  # frames after which a held note of the keyboard is struck again
FIRST_FRAME: Final = 4  # of a piece: the VAE needs that many frames before a stroke
BEAT_FRAMES: Final = range(10, 26)  # latent frames per beat: 150 down to 60 beats per minute


def tempo(frames: int) -> float:
    """Beats per minute of a beat of so many latent frames."""
    return 60 * LATENT_RATE / frames


assert LATENT_HOP == 10 * STEP
assert RESTRIKE * LATENT_HOP < LONGEST < SAMPLE_RATE
