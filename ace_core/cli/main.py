"""The commands, and how their errors are reported. `arguments.py` adds the arguments of a command
and imports nothing heavy, so that `--help` does not wait for torch; its own module runs it.
"""

import argparse
import importlib
import logging
import sys
from collections.abc import Mapping, Sequence
from typing import Any, Final

from .. import __version__
from ..errors import AceStepError, PromptsError
from .arguments import add_arguments
from .output import Exit, Interrupts, Output, UsageError

COMMANDS: Final[Mapping[str, tuple[str, str]]] = {  # name: (its module, one line of help)
    "generate": ("music", "make a song from a caption and lyrics"),
    "cover": ("music", "play a recording in another style"),
    "remix": ("music", "the same, closer to the recording: its sound is used, too"),
    "audio2audio": ("music", "make a new song that starts from a recording"),
    "morph": ("music", "exchange the lyrics or the style of a recording"),
    "repaint": ("music", "replace a part of a recording by new music"),
    "lego": ("music", "add a track to a recording (base models)"),
    "extract": ("music", "take one track out of a recording (base models)"),
    "complete": ("music", "add the missing tracks to a recording (base models)"),
    "codes": ("codes", "write a recording as audio codes, five per second"),
    "understand": ("lm", "describe a recording, or the song of audio codes"),
    "sample": ("lm", "make caption, lyrics and metadata from an idea"),
    "format": ("lm", "rewrite caption and lyrics in the trained format"),
    "inspect": ("inspect", "say what a model file or folder is"),
    "measure": ("measure", "measure tempo, key, meter and levels of a recording"),
    "correct": ("correct", "change tempo and key of a recording a little, to what was asked"),
    "batch": ("batch", "make a song for every line of a file; resumes after a crash"),
}
PACKAGE: Final = __name__.rsplit(".", 2)[0]
SILENCED: Final = ("inference.handlers",)  # loggers whose warnings come back as the error


def main(argv: Sequence[str]) -> int:
    """Run one command line and return its exit code."""
    logging.basicConfig(format="%(levelname)s: %(message)s", stream=sys.stderr)
    for name in SILENCED:
        logging.getLogger(f"{PACKAGE}.{name}").setLevel(logging.CRITICAL)
    parser = _parser(argv[0] if argv else "")
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return Exit.USAGE
    if getattr(arguments, "constrained_decoding_debug", False):
        logging.getLogger(f"{PACKAGE}.lm.decoding").setLevel(logging.INFO)
    with Interrupts() as interrupts:
        return _run(arguments, Output(arguments.json, interrupts))


def _parser(name: str) -> argparse.ArgumentParser:
    """A parser with every command, and the arguments of the command `name` alone."""
    parser = argparse.ArgumentParser(
        prog="python -m ace_core", description="ACE-Step 1.5: songs without a host."
    )
    parser.add_argument("--version", action="version", version=f"ace_core {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for each, (_, line) in COMMANDS.items():
        command = commands.add_parser(each, help=line, description=f"{line[0].upper()}{line[1:]}.")
        if each == name:
            add_arguments(command, each)
            command.add_argument("--json", action="store_true", help="answer in JSON, without bars")
    return parser


def _run(arguments: argparse.Namespace, output: Output) -> int:
    """Run the command. Errors that a user can fix become one line; others keep their traceback."""
    try:
        return _module(COMMANDS[arguments.command][0]).run(arguments, output)
    except (PromptsError, UsageError) as error:
        output.refusal(str(error))
        return Exit.USAGE
    except AceStepError as error:
        output.refusal(str(error))
        return Exit.FAILED
    except KeyboardInterrupt:
        output.refusal("interrupted")
        return Exit.INTERRUPTED


def _module(name: str) -> Any:
    return importlib.import_module(f"..{name}", __name__)
