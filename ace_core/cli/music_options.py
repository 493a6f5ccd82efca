"""Arguments of `generate` and of the five commands that start from a recording."""

import argparse
from dataclasses import fields
from pathlib import Path
from typing import Final

from ..constants import TRACKS
from ..inference.params import GenerationConfig, GenerationParams
from .models_options import add_models
from .options import add_fields

OF_SOURCES: Final = {"src_audio", "repainting_start", "repainting_end", "audio_cover_strength"}
USED: Final = {  # what each command takes of OF_SOURCES
    "generate": {"audio_cover_strength"},
    "cover": {"audio_cover_strength"},
    "repaint": {"repainting_start", "repainting_end"},
    "lego": {"repainting_start", "repainting_end"},
    "extract": set[str](),
    "complete": set[str](),
}
TRACKED: Final = ("lego", "extract", "complete")
SETTINGS: Final = ("seeds", "batch_size", "allow_lm_batch", "lm_batch_chunk_size", "audio_format")
OUT: Final = "output"


def add_arguments(parser: argparse.ArgumentParser, name: str) -> None:
    if name != "generate":
        parser.add_argument("src_audio", metavar="RECORDING", help="the recording to start from")
    if name in TRACKED:
        several = "+" if name == "complete" else 1
        parser.add_argument(
            "--track",
            nargs=several,
            choices=TRACKS,
            metavar="TRACK",
            help=f"what to play: {', '.join(TRACKS)}",
        )
    parser.add_argument(
        "-o",
        "--out",
        type=Path,
        default=Path(OUT),
        help=f"a folder, or a file's name such as song.mp3 (default: the folder {OUT})",
    )
    parser.add_argument("--lyrics-file", type=Path, metavar="FILE", help="lyrics from a text file")
    names = {field.name for field in fields(GenerationParams)} - OF_SOURCES | USED[name]
    add_fields(parser, GenerationParams, names)
    add_fields(parser, GenerationConfig, SETTINGS)
    add_models(parser)
