"""Arguments of `understand`, `sample` and `format`."""

import argparse
from pathlib import Path
from typing import Final

from .models_options import add_models

FACTS: Final = ("bpm", "duration", "keyscale", "timesignature", "language")


def add_arguments(parser: argparse.ArgumentParser, name: str) -> None:
    OWN[name](parser)
    sampling = parser.add_argument_group("sampling")
    sampling.add_argument("--temperature", type=float, default=0.85, help="its daring, 0 to 2")
    sampling.add_argument("--top-k", type=int, help="how many tokens it chooses among")
    sampling.add_argument("--top-p", type=float, help="share of likelihood it chooses among")
    sampling.add_argument(
        "--repetition-penalty", type=float, default=1.0, help="above 1: fewer repetitions"
    )
    sampling.add_argument(
        "--use-constrained-decoding",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="keep it to the form of its replies",
    )
    add_models(parser, dit=False)


def _add_understand(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("codes", help="audio codes as text, or a file of them; - for stdin")


def _add_sample(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", metavar="IDEA", help="the song in a few words")
    parser.add_argument("--instrumental", action="store_true", help="nobody sings")
    parser.add_argument("--vocal-language", metavar="CODE", help="language that is sung in")


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--caption", default="", help="what the song sounds like")
    parser.add_argument("--lyrics", default="", help="what is sung")
    parser.add_argument("--lyrics-file", type=Path, metavar="FILE", help="lyrics from a text file")
    for name, kind in (("bpm", int), ("duration", float)):
        parser.add_argument(f"--{name}", type=kind, help="is kept as given")
    for name in FACTS[2:]:
        parser.add_argument(f"--{name}", help="is kept as given")


OWN: Final = {"understand": _add_understand, "sample": _add_sample, "format": _add_format}
