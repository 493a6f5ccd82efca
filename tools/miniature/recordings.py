"""The recordings that come with the pack, so that every workflow runs before a file was chosen:
`python -m tools.miniature recordings`.

They are one piece of the world and two of its tracks alone, so that the trained miniature can read
them; tracks are added to those two, and taken from the whole.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from ace_core.audio.files import Encoding, FileFormat, save
from ace_core.audio.waveform import resample
from ace_core.constants import LATENT_RATE, SAMPLE_RATE

from .world.piece import Piece, compose
from .world.render import render, stem_rolls
from .world.request import Request
from .world.sounds import sounds

FOLDER: Final = Path(__file__).parents[2] / "web" / "recordings"  # where the page can play them
BITS: Final = 11  # of the 16 that FLAC stores; its size is that of the bits that are used
BEAT_FRAMES: Final = 12  # 125 BPM
FRAMES: Final = 16 * BEAT_FRAMES  # four bars, of which the last rings out
REQUEST: Final = Request(
    seed=2,
    seconds=FRAMES / LATENT_RATE,
    beat_frames=BEAT_FRAMES,
    meter=4,
    tonic=9,
    mode="minor",
    stems=("drums", "bass", "keyboard", "synth"),
)


@dataclass(frozen=True, slots=True)
class Recording:
    """A file, and its part of the piece. `rate` in Hz is as low as its sounds allow."""

    name: str
    title: str
    stem: str | None  # None: all of them
    rate: int

    def roll(self, piece: Piece) -> Tensor:
        """[T, 64]."""
        return piece.roll if self.stem is None else stem_rolls(piece.roll)[self.stem]

    def audio(self, piece: Piece) -> Tensor:
        """[2, N] at `rate`, as it is stored."""
        audio = resample(render(self.roll(piece), sounds())[None], SAMPLE_RATE, self.rate)[0]
        full = 2 ** (BITS - 1)
        return (audio * full).round().clamp(-full, full - 1) / full


RECORDINGS: Final = (
    Recording("band.flac", "Four bars: drums, bass, electric piano, kalimba", None, 24_000),
    Recording("chords.flac", "Four bars: electric piano", "keyboard", 12_000),
    Recording("tune.flac", "Four bars: kalimba", "synth", 16_000),
)


def write_recordings(folder: Path = FOLDER) -> Iterator[Path]:
    """Writes the files and yields their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    piece = compose(REQUEST)
    with torch.no_grad():
        for each in RECORDINGS:
            path = folder / each.name
            tags = {"title": each.title, "bpm": str(REQUEST.bpm), "key": REQUEST.key}
            save(path, each.audio(piece), FileFormat(Encoding.FLAC_16), tags, each.rate, True)
            yield path
