"""Levels of a recording: loudness, true peak, clipping, silence, and how it ends.

Source: ITU-R BS.1770-4, annex 2, for the true peak.
"""

import math
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ..audio.loudness import loudness

OVERSAMPLING: Final = 4
TAPS: Final = 24  # of each phase of the interpolation
CHUNK: Final = 2**18  # samples that are interpolated at once
FULL_SCALE: Final = 0.9999
CLIPPED_RUN: Final = 3  # neighbouring samples at full scale
SILENCE: Final = -60.0  # dB of full scale
BLOCK: Final = 0.05  # seconds of which a level is taken
FADE: Final = 20.0  # dB below the recording's level: an ending that comes down by this fades
SHORTEST_FADE: Final = 1.5  # seconds; what is shorter is the last note
ENVELOPE: Final = 1.0  # seconds whose loudest block is the level at a time
RISE: Final = 3.0  # dB that a fade may rise again


@dataclass(frozen=True, slots=True)
class Levels:
    """`loudness` in LUFS, None where all is silent; `true_peak` in dB of full scale; `clipped`
    samples in runs at full scale; silences in seconds, `longest_silence` between sounds alone;
    `fade_out` in seconds, 0 without one; `cut_off`: the last sound is as loud as the rest."""

    loudness: float | None
    true_peak: float
    clipped: int
    silence_before: float
    silence_after: float
    longest_silence: float
    fade_out: float
    cut_off: bool


def levels(audio: Tensor, rate: int) -> Levels:
    """Levels of one item [C, N]."""
    audio = audio.float().cpu()
    size = max(1, round(BLOCK * rate))
    blocks = block_levels(audio, size)  # [blocks]
    loud = (blocks > SILENCE).nonzero().flatten()
    step = size / rate
    if not len(loud):
        seconds = audio.shape[1] / rate
        return Levels(None, true_peak_db(audio), 0, seconds, seconds, seconds, 0.0, False)
    first, last = int(loud[0]), int(loud[-1])
    gaps = loud.diff() - 1
    fade = _fade_out(blocks[first : last + 1], step)
    after = max(0.0, audio.shape[1] / rate - (last + 1) * step)
    return Levels(
        loudness=loudness(audio, rate),
        true_peak=true_peak_db(audio),
        clipped=clipped_samples(audio),
        silence_before=first * step,
        silence_after=after,
        longest_silence=float(gaps.max()) * step if len(gaps) else 0.0,
        fade_out=fade,
        cut_off=fade == 0.0 and after < step and _ends_loud(blocks),
    )


def true_peak(audio: Tensor) -> float:
    """The largest magnitude of [C, N] between the samples, by four-fold oversampling."""
    if not audio.numel():
        return 0.0
    kernel = _interpolation().to(audio)
    half = TAPS // 2
    padded = F.pad(audio[:, None], (half - 1, half))  # [C, 1, N + TAPS - 1]
    peak = float(audio.abs().max())
    for start in range(0, audio.shape[1], CHUNK):
        part = padded[:, :, start : start + CHUNK + TAPS - 1]
        peak = max(peak, float(F.conv1d(part, kernel).abs().max()))
    return peak


def true_peak_db(audio: Tensor) -> float:
    """The true peak of [C, N] in dB of full scale; -200 where all is zero."""
    return 20 * math.log10(max(true_peak(audio), 1e-10))


def clipped_samples(audio: Tensor) -> int:
    """Samples of [C, N] in runs of `CLIPPED_RUN` or more at full scale."""
    return int(clipped(audio).sum())


def clipped(audio: Tensor) -> Tensor:
    """Which samples of [C, N] are in runs of `CLIPPED_RUN` or more at full scale, [C, N]."""
    full = audio.abs() >= FULL_SCALE
    if audio.shape[1] < CLIPPED_RUN or not full.any():
        return torch.zeros_like(full)
    runs = F.avg_pool1d(full.float()[:, None], CLIPPED_RUN, 1) > 1 - 1e-6  # a run begins here
    inside = F.max_pool1d(F.pad(runs.float(), (CLIPPED_RUN - 1,) * 2), CLIPPED_RUN, 1)
    return inside[:, 0] > 0


def silences(audio: Tensor, rate: int) -> tuple[tuple[float, float], ...]:
    """Start and end in seconds of each part of [C, N] below `SILENCE` for two blocks or longer."""
    size = max(1, round(BLOCK * rate))
    quiet = block_levels(audio.float().cpu(), size) <= SILENCE
    seconds = audio.shape[1] / rate
    found = [(first * size / rate, end * size / rate) for first, end in runs_of(quiet)]
    return tuple((a, min(b, seconds)) for a, b in found if b - a > 1.5 * size / rate)


def runs_of(true: Tensor) -> list[tuple[int, int]]:
    """First index and the one behind the last of each run of true values in [T]."""
    edges = F.pad(true.int(), (1, 1)).diff()
    starts, ends = (edges == 1).nonzero().flatten(), (edges == -1).nonzero().flatten()
    return list(zip(starts.tolist(), ends.tolist(), strict=True))


def block_levels(audio: Tensor, size: int) -> Tensor:
    """RMS of blocks of `size` samples over all channels in dB of full scale, [blocks]."""
    padded = F.pad(audio, (0, -audio.shape[1] % size))
    power = padded.square().mean(dim=0).unflatten(0, (-1, size)).mean(dim=1)
    return 10 * torch.log10(power.clamp(min=1e-20))


def _fade_out(blocks: Tensor, step: float) -> float:
    """Seconds from the last time at the recording's usual level to the end, where the level comes
    down all the way by `FADE` dB; else 0."""
    reach = round(ENVELOPE / step / 2)
    if len(blocks) <= reach:
        return 0.0
    envelope = F.max_pool1d(blocks[None, None], 2 * reach + 1, 1, reach)[0, 0]
    usual = float(envelope.median())
    near = (envelope > usual - 3).nonzero().flatten()
    tail = envelope[int(near[-1]) :]
    falls = (
        float((tail[1:] - tail.cummin(dim=0).values[:-1]).amax()) < RISE if len(tail) > 1 else False
    )
    seconds = (len(tail) - 1) * step
    is_fade = falls and seconds >= SHORTEST_FADE and float(blocks[-1]) < usual - FADE
    return seconds if is_fade else 0.0


def _ends_loud(blocks: Tensor) -> bool:
    return float(blocks[-2:].max()) > float(blocks.median()) - 10


def _interpolation() -> Tensor:
    """Windowed sinc between the samples, [OVERSAMPLING - 1, 1, TAPS]."""
    places = torch.arange(TAPS, dtype=torch.float64) - (TAPS // 2 - 1)
    rows = []
    for phase in range(1, OVERSAMPLING):
        x = places - phase / OVERSAMPLING
        window = 0.5 + 0.5 * torch.cos(2 * math.pi * x / TAPS)
        row = torch.sinc(x) * window
        rows.append(row / row.sum())
    return torch.stack(rows)[:, None]
