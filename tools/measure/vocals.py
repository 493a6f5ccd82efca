"""Can a voice in a mix be heard without a model? `python -m tools.measure.vocals` prints the rows.

What a voice has and plucked or struck notes do not is a pitch that glides and wavers. How much the
spectral peaks between 500 Hz and 4 kHz move from frame to frame is compared for pieces without a
lead, with a synthetic voice (vibrato, glides, formants, breath) and with a bowed string (the same
pitches, no formants and no breath).
Source: Lehner, Widmer and Sonnleitner 2014, "On the reduction of false positives in singing voice
detection", for the wavering of pitch in bands.
"""

import math
from typing import Final

import torch
from torch import Tensor

from tools.measure.pieces import MAJOR, MINOR, RATE, SECONDS, Piece, pieces, render

COUNT: Final = 24  # pieces
SIZE, HOP = 2048, 441  # samples: 46 and 10 ms
LOWEST, HIGHEST = 500.0, 4_000.0  # Hz
PEAKS: Final = 8  # the strongest of each frame
REACH: Final = 80.0  # cents that a peak may move to the next frame
VIBRATO, DEPTH = 5.5, 40.0  # Hz, cents
GLIDE: Final = 0.06  # seconds in which a note reaches its pitch
FORMANTS: Final = ((700.0, 1150.0, 2650.0), (400.0, 1900.0, 2700.0), (350.0, 800.0, 2600.0))  # Hz
WIDTH: Final = 120.0  # Hz: half the width of a formant
BELOW: Final = 3.0  # dB of the lead below the piece


def main() -> None:
    plain, sung, bowed = [], [], []
    for piece in pieces()[:COUNT]:
        rest = render(piece)
        plain.append(wavering(rest))
        sung.append(wavering(mixed(rest, lead(piece, voice=True))))
        bowed.append(wavering(mixed(rest, lead(piece, voice=False))))
    print(f"| a voice, against no lead: area under the curve | {area(sung, plain):.2f} |")
    print(f"| a voice, against a bowed string: area under the curve | {area(sung, bowed):.2f} |")
    limit = sorted(sung)[COUNT // 10]  # nine in ten voices are above
    wrong = sum(value >= limit for value in bowed)
    print(f"| bowed strings taken for voices where 9 of 10 voices are found | {wrong} of {COUNT} |")


def wavering(audio: Tensor) -> float:
    """Mean movement of the strongest peaks from frame to frame, in cents."""
    mono = audio.mean(dim=0)
    window = torch.hann_window(SIZE)
    magnitude = torch.stft(mono, SIZE, HOP, window=window, return_complex=True).abs()
    first, last = round(LOWEST * SIZE / RATE), round(HIGHEST * SIZE / RATE)
    logs = magnitude.clamp(min=1e-9).log()[first - 1 : last + 1]
    left, here, right = logs[:-2], logs[1:-1], logs[2:]
    peaks = (here > left) & (here >= right)
    offset = 0.5 * (left - right) / (left - 2 * here + right).clamp(max=-1e-9)
    offset = offset.clamp(-0.5, 0.5)
    hertz = (torch.arange(first, last)[:, None] + offset) * RATE / SIZE
    strength = torch.where(peaks, here, -math.inf).topk(PEAKS, dim=0)
    cents = 1200 * hertz.gather(0, strength.indices).log2()  # [PEAKS, T]
    moved = (cents[:, 1:, None] - cents.T[:-1, None].movedim(1, 0)).abs().amin(dim=2)
    weight = strength.values[:, 1:].exp() * (moved < REACH)
    return float((weight * moved).sum() / weight.sum())


def lead(piece: Piece, voice: bool) -> Tensor:
    """A note on each beat, [N], with vibrato and glides."""
    random = torch.Generator().manual_seed(piece.seed + 7)
    scale = MAJOR if piece.mode == "major" else MINOR
    degrees = torch.randint(0, 7, (len(piece.beats()),), generator=random).tolist()
    pitches = [60 + piece.tonic % 12 + scale[degree] for degree in degrees]
    t = torch.arange(int(SECONDS * RATE)) / RATE
    beat = ((t - piece.beats()[0]) / piece.beat).floor().long().clamp(0, len(pitches) - 1)
    now = torch.tensor(pitches, dtype=torch.float64)[beat]
    before = torch.tensor([pitches[0], *pitches[:-1]], dtype=torch.float64)[beat]
    since = (t - piece.beats()[0]) - beat * piece.beat
    pitch = now + (before - now) * torch.exp(-since.clamp(min=0) / GLIDE)
    pitch = pitch + DEPTH / 100 * torch.sin(2 * math.pi * VIBRATO * t)
    hertz = 440 * 2 ** ((pitch - 69) / 12)
    phase = 2 * math.pi * hertz.cumsum(dim=0) / RATE
    vowels = torch.tensor(FORMANTS)[torch.randint(0, 3, (len(pitches),), generator=random)][beat]
    sound = torch.zeros_like(phase)
    for harmonic in range(1, 13):
        level = 1 / harmonic
        if voice:
            distance = (harmonic * hertz[:, None] - vowels) / WIDTH
            level = level * (0.1 + (1 / (1 + distance.square())).sum(dim=1))
        sound += level * torch.sin(harmonic * phase)
    if voice:
        sound += 0.03 * torch.randn(len(sound), generator=random)
    return (sound * torch.exp(-0.5 * since.clamp(min=0))).float()


def mixed(rest: Tensor, voice: Tensor) -> Tensor:
    gain = 10 ** (-BELOW / 20) * rest.square().mean().sqrt() / voice.square().mean().sqrt()
    return rest + gain * voice


def area(right: list[float], wrong: list[float]) -> float:
    """How often one of `right` is above one of `wrong`: 0.5 is chance."""
    pairs = [(a > b) + 0.5 * (a == b) for a in right for b in wrong]
    return sum(pairs) / len(pairs)


if __name__ == "__main__":
    main()
