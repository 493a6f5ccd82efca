"""`inspect FILE`: what a model file or folder is, from its headers alone."""

import argparse
from pathlib import Path

from .output import Output


def add_arguments(parser: argparse.ArgumentParser, name: str) -> None:
    parser.add_argument("file", type=Path, metavar="FILE", help="a model's file or folder")


def run(arguments: argparse.Namespace, output: Output) -> int:
    from ..weights import inspect
    from .describe import description, in_words

    found = description(inspect(arguments.file))
    output.result(found, in_words(found))
    return 0
