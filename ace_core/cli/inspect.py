"""`inspect FILE`: what a model file or folder is, from its headers alone."""

import argparse

from ..weights import inspect
from .describe import description, in_words
from .exits import Exit
from .output import Output


def run(arguments: argparse.Namespace, output: Output) -> Exit:
    found = description(inspect(arguments.file))
    output.result(found, in_words(found))
    return Exit.DONE
