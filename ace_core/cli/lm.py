"""`understand`, `sample` and `format`: the language model by itself, its reply as text or JSON."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from ..errors import AceStepError, InvalidRequestError
from ..inference import LLMHandler, create_sample, format_sample, understand_music
from ..inference.lm_calls import codes_of
from ..texts import first_fault
from .arguments import METADATA
from .codes import codes_of_recording
from .models import lm_choice, model_choice
from .options import read_text
from .output import Output, usage_errors

TITLES: Final = {"keyscale": "key", "timesignature": "time signature"}


def run(arguments: argparse.Namespace, output: Output) -> int:
    with usage_errors():
        _check_texts(arguments)
        recording = _recording(arguments)
        dit = recording and model_choice(arguments, output, thinks=False)
        request = None if recording else REQUESTS[arguments.command](arguments)
        choice = lm_choice(arguments)
    if recording and dit:
        request = _understood(codes_of_recording(recording, dit, output))
    assert request is not None  # noqa: S101  one of the two
    output.bar(0.0, "Loading the language model")
    lm = choice.load_lm()
    assert lm is not None  # noqa: S101  chosen_lm refuses when there is none
    output.bar(0.5, "Writing")
    result = request(lm, _sampling(arguments))
    if not result.success:
        raise AceStepError(result.error or result.status_message)
    found = result.to_dict()
    output.result(found, _text(found))
    return 0


def _check_texts(arguments: argparse.Namespace) -> None:
    """
    Raises:
        InvalidRequestError: a text on the command line cannot be read by a model.
    """
    if fault := first_fault(vars(arguments)):
        raise InvalidRequestError(fault)


Request = Callable[[LLMHandler, dict[str, Any]], Any]


def _sampling(arguments: argparse.Namespace) -> dict[str, Any]:
    names = ("temperature", "top_k", "top_p", "repetition_penalty", "use_constrained_decoding")
    names += ("constrained_decoding_debug", "seed")
    return {name: getattr(arguments, name) for name in names}


def _understand(arguments: argparse.Namespace) -> Request:
    codes = _read_codes(arguments.codes)
    codes_of(codes)  # raises an error for a text without codes
    return _understood(codes)


def _understood(codes: str) -> Request:
    return lambda lm, sampling: understand_music(lm, codes, **sampling)


def _recording(arguments: argparse.Namespace) -> Path | None:
    """The file to understand where it is no text; None: codes, or another command."""
    given = getattr(arguments, "codes", "-")
    if given == "-" or "audio_code" in given or not os.path.isfile(given):
        return None
    try:
        read_text(Path(given))
    except InvalidRequestError:
        return Path(given)
    return None


def _read_codes(given: str) -> str:
    """Codes as given, from stdin for -, or from a file: no file name looks like codes."""
    if given == "-":
        return sys.stdin.read()
    return given if "audio_code" in given else read_text(Path(given))


def _sample(arguments: argparse.Namespace) -> Request:
    query, instrumental = arguments.query, arguments.instrumental
    language = arguments.vocal_language
    return lambda lm, sampling: create_sample(lm, query, instrumental, language, **sampling)


def _format(arguments: argparse.Namespace) -> Request:
    file = arguments.lyrics_file
    lyrics = arguments.lyrics if file is None else read_text(file)
    values = {name: getattr(arguments, name) for name in METADATA}
    stated = {name: value for name, value in values.items() if value is not None}
    caption = arguments.caption
    return lambda lm, sampling: format_sample(lm, caption, lyrics, stated or None, **sampling)


REQUESTS: Final[Mapping[str, Callable[[argparse.Namespace], Request]]] = {
    "understand": _understand,
    "sample": _sample,
    "format": _format,
}


def _text(found: dict[str, Any]) -> str:
    lines = [f"caption: {found['caption']}"]
    lines += [f"{TITLES.get(name, name)}: {found[name]}" for name in METADATA if found[name]]
    return "\n".join([*lines, "", found["lyrics"]]).rstrip()
