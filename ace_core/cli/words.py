"""`understand`, `sample` and `format`: the language model by itself, its answer as text or JSON."""

import argparse
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from ..errors import AceStepError
from ..inference import LLMHandler, create_sample, format_sample, understand_music
from .models import add_models, chosen_lm
from .options import text_of
from .output import Output

FACTS: Final = ("bpm", "duration", "keyscale", "timesignature", "language")
TITLES: Final = {"keyscale": "key", "timesignature": "time signature"}


def add_arguments(parser: argparse.ArgumentParser, name: str) -> None:
    COMMANDS[name][0](parser)
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


def run(arguments: argparse.Namespace, output: Output) -> int:
    ask = COMMANDS[arguments.command][1](arguments)
    choice = chosen_lm(arguments)
    output.bar(0.0, "Loading the language model")
    lm = choice.load_lm()
    assert lm is not None  # chosen_lm refuses when there is none
    output.bar(0.5, "Writing")
    result = ask(lm, _sampling(arguments))
    if not result.success:
        raise AceStepError(result.error or result.status_message)
    found = result.to_dict()
    output.result(found, _text(found))
    return 0


Ask = Callable[[LLMHandler, dict[str, Any]], Any]


def _sampling(arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("temperature", "top_k", "top_p", "repetition_penalty", "use_constrained_decoding")
    return {name: getattr(arguments, name) for name in names}


def _add_understand(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("codes", help="audio codes as text, or a file of them; - for stdin")


def _understand(arguments: argparse.Namespace) -> Ask:
    codes = _read(arguments.codes)
    return lambda lm, sampling: understand_music(lm, codes, **sampling)


def _read(given: str) -> str:
    """Codes are long, so they may lie in a file; no file's name looks like codes."""
    if given == "-":
        return sys.stdin.read()
    return given if "audio_code" in given else text_of(Path(given))


def _add_sample(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("query", metavar="IDEA", help="the song in a few words")
    parser.add_argument("--instrumental", action="store_true", help="nobody sings")
    parser.add_argument("--vocal-language", metavar="CODE", help="language that is sung in")


def _sample(arguments: argparse.Namespace) -> Ask:
    query, instrumental = arguments.query, arguments.instrumental
    language = arguments.vocal_language
    return lambda lm, sampling: create_sample(lm, query, instrumental, language, **sampling)


def _add_format(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--caption", default="", help="what the song sounds like")
    parser.add_argument("--lyrics", default="", help="what is sung")
    parser.add_argument("--lyrics-file", type=Path, metavar="FILE", help="lyrics from a text file")
    for name, kind in (("bpm", int), ("duration", float)):
        parser.add_argument(f"--{name}", type=kind, help="is kept as given")
    for name in FACTS[2:]:
        parser.add_argument(f"--{name}", help="is kept as given")


def _format(arguments: argparse.Namespace) -> Ask:
    file = arguments.lyrics_file
    lyrics = arguments.lyrics if file is None else text_of(file)
    facts = {name: getattr(arguments, name) for name in FACTS}
    stated = {name: value for name, value in facts.items() if value is not None}
    caption = arguments.caption
    return lambda lm, sampling: format_sample(lm, caption, lyrics, stated or None, **sampling)


COMMANDS: Final[Mapping[str, tuple[Callable[..., None], Callable[..., Ask]]]] = {
    "understand": (_add_understand, _understand),
    "sample": (_add_sample, _sample),
    "format": (_add_format, _format),
}


def _text(found: dict[str, Any]) -> str:
    lines = [f"caption: {found['caption']}"]
    lines += [f"{TITLES.get(name, name)}: {found[name]}" for name in FACTS if found[name]]
    return "\n".join([*lines, "", found["lyrics"]]).rstrip()
