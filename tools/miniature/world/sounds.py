"""The 64 sounds [64, 2, LONGEST], synthesised: drums, a plucked bass, a keyboard, a plucked synth.

The keyboard is made to be held: its partials lie on multiples of one frequency of which RESTRIKE
frames hold a whole number of periods, and a sound fades out over what the next one needs to fade
in, so that a note struck again every RESTRIKE frames is one steady tone. The others are struck once
and ring in a small room. All of them stay within the bands that the lapped transform keeps: the sum
of both sides below MID_LIMIT, their difference below SIDE_LIMIT.
"""

import itertools
import math
from collections.abc import Sequence
from typing import Final

import torch
from torch import Tensor

from ace_core.constants import LATENT_RATE, SAMPLE_RATE

from .channels import BASS_LOWEST, KEYBOARD_LOWEST, LONGEST, RESTRIKE, SYNTH_LOWEST

MID_LIMIT: Final = 9_500.0  # Hz
SIDE_LIMIT: Final = 1_750.0
GRID: Final = LATENT_RATE / RESTRIKE  # Hz: multiples of it repeat after RESTRIKE frames
CLASSES: Final = 1 + RESTRIKE // 2  # of frequencies that differ from frame to frame
KEYBOARD_FADE: Final = 0.024  # s
KEYBOARD_DECAY: Final = 1.6
LEVEL: Final = 0.36  # of everything, so that pieces peak below 1
ROOM: Final = 0.12  # s

Partials = Sequence[tuple[float, float]]  # (frequency in fundamentals, amplitude)
BASS_PARTIALS: Final = tuple((h, h**-0.9) for h in range(1, 11))
KEYBOARD_PARTIALS: Final = (
    (1, 1.0),
    (2, 0.5),
    (3, 0.22),
    (4, 0.16),
    (5, 0.07),
    (6, 0.05),
    (7, 0.04),
)
SYNTH_PARTIALS: Final = (
    (1, 1.0),
    (2, 0.3),
    (3, 0.3),
    (4, 0.08),
    (5, 0.12),
    (6.27, 0.1),
    (9.2, 0.05),
)


def sounds() -> Tensor:
    """All of them [64, 2, LONGEST], in the order of the channels."""
    noise = torch.Generator().manual_seed(7)
    room = _room(noise)
    dry = [
        *(_placed(wave, pan) for wave, pan in _drums(noise)),
        *(_placed(0.42 * _bass(BASS_LOWEST + n), 0.0) for n in range(12)),
    ]
    synth = [_placed(0.2 * _synth(SYNTH_LOWEST + n), 0.35) for n in range(23)]
    wet = _in_room(torch.stack([*dry, *synth]), room)
    keyboard = torch.stack([0.15 * _keyboard(KEYBOARD_LOWEST + n) for n in range(20)])
    return LEVEL * torch.cat([wet[: len(dry)], _band_limited(keyboard), wet[len(dry) :]]).float()


def hertz(midi: float) -> float:
    return 440.0 * 2 ** ((midi - 69) / 12)


def _time() -> Tensor:
    return torch.arange(LONGEST, dtype=torch.float64) / SAMPLE_RATE


def _drums(noise: torch.Generator) -> list[tuple[Tensor, float]]:
    """(wave [LONGEST], pan) of the eight drums and of the keys' click."""
    t = _time()

    def sine(start: float, end: float, bend: float, decay: float) -> Tensor:
        """A sine whose frequency falls from `start` to `end` Hz."""
        phase = (end + (start - end) * torch.exp(-t / bend)).cumsum(0) / SAMPLE_RATE
        return torch.sin(2 * math.pi * phase) * torch.exp(-t / decay)

    def hiss(low: float, high: float, decay: float) -> Tensor:
        return _noise(noise, low, high) * torch.exp(-t / decay)

    clap = sum(
        torch.exp(-(t - at).clamp(min=0) / fall) * (t >= at)
        for at, fall in ((0.0, 0.004), (0.011, 0.004), (0.023, 0.05))
    ) * _noise(noise, 900, 5000)
    shaker = _noise(noise, 4500, 9300) * (t / 0.02).clamp(max=1) * torch.exp(-t / 0.035)
    return [
        (sine(190, 48, 0.022, 0.12) + 0.02 * hiss(1500, 5000, 0.006), 0.0),
        (
            0.36 * sine(200, 182, 0.02, 0.06) + 0.2 * sine(331, 331, 1, 0.04)
            + 0.09 * hiss(1200, 8000, 0.075),
            0.0,
        ),
        (0.06 * hiss(6200, 9400, 0.03), 0.0),
        (0.05 * hiss(5300, 9400, 0.14), 0.0),
        (0.055 * hiss(3000, 9400, 0.22) + 0.015 * hiss(800, 3000, 0.12), 0.0),
        (0.6 * sine(170, 105, 0.05, 0.13) + 0.01 * hiss(800, 4000, 0.01), -0.3),
        (0.1 * clap, 0.2),
        (0.05 * shaker, 0.0),
        (0.05 * hiss(1500, 6000, 0.006) + 0.12 * sine(980, 820, 0.01, 0.012), -0.25),
    ]  # fmt: skip


def _noise(generator: torch.Generator, low: float, high: float) -> Tensor:
    """White noise between two frequencies in Hz, [LONGEST], of power 1."""
    spectrum = torch.fft.rfft(torch.randn(LONGEST, generator=generator, dtype=torch.float64))
    f = torch.fft.rfftfreq(LONGEST, 1 / SAMPLE_RATE, dtype=torch.float64)
    gain = torch.sigmoid((f - low) / (0.06 * low)) * torch.sigmoid((high - f) / (0.03 * high))
    wave = torch.fft.irfft(spectrum * gain, LONGEST)
    return wave / wave.std()


def _bass(midi: int) -> Tensor:
    return _plucked(hertz(midi), BASS_PARTIALS, decay=0.28, damping=0.2, attack=0.004)


def _synth(midi: int) -> Tensor:
    return _plucked(hertz(midi), SYNTH_PARTIALS, decay=0.22, damping=0.2, attack=0.0015)


def _plucked(
    fundamental: float, partials: Partials, decay: float, damping: float, attack: float
) -> Tensor:
    """[LONGEST]; higher partials decay sooner."""
    t = _time()
    wave = torch.zeros_like(t)
    for h, amplitude in partials:
        if fundamental * h < MID_LIMIT:
            shape = torch.exp(-t * (1 + damping * (h - 1)) / decay)
            wave += amplitude * torch.sin(2 * math.pi * fundamental * h * t) * shape
    return wave * (1 - torch.exp(-t / attack)) * _fade_out(0.07)


def _keyboard(midi: int) -> Tensor:
    """[2, LONGEST], wide: the partials of both sides differ in phase."""
    t = _time()
    sides = torch.zeros(2, LONGEST, dtype=torch.float64)
    frequencies = held_frequencies(hertz(midi), [h for h, _ in KEYBOARD_PARTIALS])
    for (h, amplitude), frequency in zip(KEYBOARD_PARTIALS, frequencies, strict=True):
        spread = 0.5 * math.sin(2.4 * h + midi) * (frequency < SIDE_LIMIT)
        for side, pan in enumerate((1.0, 0.75)):
            phase = spread * (2 * side - 1)
            sides[side] += pan * amplitude * torch.sin(2 * math.pi * frequency * t + phase)
    fade = (t / KEYBOARD_FADE).clamp(0, 1)
    late = ((t - RESTRIKE / LATENT_RATE) / KEYBOARD_FADE).clamp(0, 1)
    shape = torch.sin(math.pi / 2 * fade) ** 2 * torch.cos(math.pi / 2 * late) ** 2
    return sides * shape * torch.exp(-t / KEYBOARD_DECAY)


def held_frequencies(fundamental: float, partials: Sequence[float]) -> list[float]:
    """Frequencies in Hz near the partials', all of them multiples of GRID.

    A steady tone does not show when it was struck, but for its phases. The lowest CLASSES partials
    advance by different parts of a turn from frame to frame, so that all of a tone's possible
    strokes differ; the partials are moved as little as that allows.
    """
    near = [round(fundamental * h / GRID) for h in partials]
    reach = RESTRIKE // 2
    places = [range(near[h] - reach, near[h] + reach + 1) for h in range(CLASSES)]

    def effort(chosen: tuple[int, ...]) -> float:
        offs = (m * GRID / (fundamental * h) - 1 for m, h in zip(chosen, partials, strict=False))
        return sum(off**2 for off in offs)

    distinct = (
        chosen
        for chosen in itertools.product(*places)
        if len({min(m % RESTRIKE, -m % RESTRIKE) for m in chosen}) == CLASSES
    )
    return [GRID * m for m in (*min(distinct, key=effort), *near[CLASSES:])]


def _placed(wave: Tensor, pan: float) -> Tensor:
    """[2, LONGEST]; `pan` from -1, left, to 1."""
    return torch.stack([wave * (1 - max(0.0, pan)), wave * (1 + min(0.0, pan))])


def _room(generator: torch.Generator) -> Tensor:
    """Impulse response [2, R] of a small room, of which the direct sound is the first sample."""
    t = torch.arange(int(ROOM * SAMPLE_RATE), dtype=torch.float64) / SAMPLE_RATE
    tail = torch.randn(2, len(t), generator=generator, dtype=torch.float64)
    tail *= torch.exp(-t / 0.03) * ((t - 0.004) / 0.01).clamp(0, 1)
    spectrum = torch.fft.rfft(tail)
    f = torch.fft.rfftfreq(len(t), 1 / SAMPLE_RATE, dtype=torch.float64)
    tail = torch.fft.irfft(spectrum * torch.sigmoid((3000 - f) / 300), len(t))
    tail *= 0.2 / tail.square().sum(1, keepdim=True).sqrt()
    tail[:, 0] = 1.0
    return tail


def _in_room(dry: Tensor, room: Tensor) -> Tensor:
    """[n, 2, LONGEST] with the room's reflections, which end with the sound."""
    size = LONGEST + room.shape[1]
    wet = torch.fft.irfft(torch.fft.rfft(dry, size) * torch.fft.rfft(room, size), size)
    return _band_limited(wet[..., :LONGEST] * _fade_out(0.05))


def _fade_out(seconds: float) -> Tensor:
    left = (LONGEST / SAMPLE_RATE - _time()) / seconds
    return torch.sin(math.pi / 2 * left.clamp(0, 1)) ** 2


def _band_limited(sides: Tensor) -> Tensor:
    """[n, 2, LONGEST] within the bands of the lapped transform."""
    f = torch.fft.rfftfreq(2 * LONGEST, 1 / SAMPLE_RATE, dtype=torch.float64)
    mid, side = sides[:, 0] + sides[:, 1], sides[:, 0] - sides[:, 1]
    limited = [
        torch.fft.irfft(
            torch.fft.rfft(wave, 2 * LONGEST) * torch.sigmoid((limit - f) / (0.01 * limit)),
            2 * LONGEST,
        )[:, :LONGEST]
        for wave, limit in ((mid, MID_LIMIT), (side, SIDE_LIMIT))
    ]
    return torch.stack([limited[0] + limited[1], limited[0] - limited[1]], dim=1) / 2
