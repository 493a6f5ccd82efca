"""Short music for tests: plucked strings over a bass, rendered here, in any rate and format."""

from pathlib import Path

import soundfile
import torch
from torch import Tensor

CHORDS = ((220.0, 261.6, 329.6), (174.6, 220.0, 261.6), (261.6, 329.6, 392.0))  # Hz
BEAT = 0.5  # seconds


def music(seconds: float, rate: int = 48_000, channels: int = 2) -> Tensor:
    """[channels, N] within [-0.8, 0.8]: an arpeggio, its octave, and a root below."""
    moments = torch.arange(int(seconds * rate)) / rate
    beat = (moments / BEAT).long()
    decay = torch.exp(-4 * (moments % BEAT))
    chords = torch.tensor(CHORDS)
    chord = (beat // 4) % len(CHORDS)
    pitch = chords[chord, beat % 3]
    pluck = sum(torch.sin(2 * torch.pi * n * pitch * moments) / n**2 for n in range(1, 5))
    bass = torch.sin(torch.pi * chords[chord, 0] * moments)
    sound = 0.35 * pluck * decay + 0.25 * bass
    pan = torch.linspace(1.0, 0.7, channels)[:, None]
    return (sound[None] * pan).clamp(-0.8, 0.8)


def write(path: Path, seconds: float, rate: int = 48_000, channels: int = 2) -> Path:
    """A file whose format is its suffix's: wav, flac or mp3."""
    soundfile.write(path, music(seconds, rate, channels).T.numpy(), rate)
    return path


def audio(seconds: float, rate: int = 48_000, channels: int = 2) -> dict:
    """The same as AUDIO."""
    return {"waveform": music(seconds, rate, channels)[None], "sample_rate": rate}
