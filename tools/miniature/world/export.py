"""A piece as files: its audio, its stems, and what is known of it."""

import json
from collections.abc import Iterator
from pathlib import Path

from ace_core.audio.files import Encoding, FileFormat, save

from .captions import caption
from .piece import Piece, compose
from .render import render, stem_rolls
from .request import Request
from .sounds import sounds


def write_piece(request: Request, folder: Path) -> Iterator[Path]:
    """Writes piece.flac, a file for each stem, and piece.json, and yields their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    piece, played = compose(request), sounds()
    for name, roll in {"piece": piece.roll, **stem_rolls(piece.roll)}.items():
        path = folder / f"{name}.flac"
        save(path, render(roll, played), FileFormat(Encoding.FLAC_16), replace=True)
        yield path
    path = folder / "piece.json"
    path.write_text(json.dumps(metadata(piece), indent=2) + "\n", encoding="utf-8")
    yield path


def metadata(piece: Piece) -> dict[str, object]:
    """What a language model would plan, and the form; times in seconds."""
    request, downbeats = piece.request, piece.downbeats()
    return {
        "caption": caption(request),
        "bpm": request.bpm,
        "keyscale": request.key,
        "timesignature": request.meter,
        "duration": request.seconds,
        "stems": list(request.stems),
        "sections": [
            {"name": section.name, "start": downbeats[section.first], "bars": section.bars}
            for section in piece.sections
        ],
        "chords": list(piece.chords),
        "beats": piece.beats(),
    }
