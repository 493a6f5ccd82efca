"""Arguments of `batch`."""

import argparse
from pathlib import Path
from typing import Final

from .models_options import add_models

FOUND: Final = ""  # what --ray without an address stands for


def add_arguments(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument("prompts", type=Path, help="JSON lines, a song each")
    parser.add_argument(
        "-o", "--out", type=Path, required=True, metavar="DIR", help="folder of the songs"
    )
    parser.add_argument(
        "--retry-failed", action="store_true", help="make songs again that are recorded as failed"
    )
    parser.add_argument(
        "--ray",
        nargs="?",
        const=FOUND,
        metavar="ADDRESS",
        help="run on a Ray cluster: this one, or the one that Ray finds, or a 'local' one",
    )
    parser.add_argument(
        "--workers", type=int, metavar="N", help="workers of the cluster (default: one a GPU)"
    )
    add_models(parser)
