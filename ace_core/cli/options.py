"""Options of the commands that make music, one for each field of the published API's requests.

Only what was written on the command line is passed on: the defaults are the API's own.
"""

import argparse
from collections.abc import Callable, Collection, Mapping
from pathlib import Path
from typing import Any, Final

from ..errors import InvalidRequestError
from .fields import Field, fields_of

HELP: Final[Mapping[str, str]] = {  # in the order in which help shows them
    "caption": "what the song sounds like: style, mood, instruments",
    "lyrics": "what is sung; '[Instrumental]' for nobody",
    "instrumental": "nobody sings, whatever the lyrics say",
    "vocal_language": "language that is sung in, a code such as en",
    "bpm": "beats a minute, 30 to 300",
    "keyscale": "key, such as 'C major' or Am",
    "timesignature": "beats of a bar: 2, 3, 4 or 6",
    "duration": "seconds, 10 to 600; -1: as long as the lyrics need",
    "reference_audio": "a recording whose sound is taken over",
    "audio_codes": "audio codes to play, as the language model writes them",
    "instruction": "what the model is told to do, instead of the task's own words",
    "inference_steps": "denoising steps; turbo 1 to 20, base 1 to 200",
    "guidance_scale": "how closely the text is followed, 1 to 15 (not turbo)",
    "use_adg": "angle-based dynamic guidance instead of APG (base and sft)",
    "cfg_interval_start": "where in the run guidance begins, 0 to 1",
    "cfg_interval_end": "where in the run guidance ends, 0 to 1",
    "shift": "how much time is spent on the coarse shape, 1 to 5",
    "infer_method": "ode, or sde for fresh noise at every step",
    "timesteps": "times of the steps themselves, such as 1,0.8,0.5,0.2,0",
    "seed": "of the first song; -1: by chance",
    "seeds": "one a song, such as 1,2,3",
    "batch_size": "songs to make of this request, 1 to 8 (default 1)",
    "repainting_start": "where the new part begins, in seconds",
    "repainting_end": "where the new part ends, in seconds; -1: at the end",
    "audio_cover_strength": "how closely the recording is followed, 0 to 1",
    "thinking": "let the language model write codes first",
    "use_cot_metas": "let it choose what was left open: bpm, key, length",
    "use_cot_caption": "let it word the caption anew",
    "use_cot_lyrics": "let it write lyrics (reserved)",
    "use_cot_language": "let it tell the language of the lyrics",
    "use_constrained_decoding": "keep it to the form of its replies",
    "lm_temperature": "its daring, 0 to 2",
    "lm_cfg_scale": "how closely it follows the text",
    "lm_top_k": "how many tokens it chooses among; 0: all",
    "lm_top_p": "share of likelihood it chooses among, 0 to 1",
    "lm_negative_prompt": "what it is led away from",
    "allow_lm_batch": "let it write the codes of several songs at once",
    "lm_batch_chunk_size": "how many songs' codes at once, at most",
    "audio_format": "flac, wav or mp3",
}
Parse = Callable[[str], Any]


def add_fields(parser: argparse.ArgumentParser, request: type, names: Collection[str]) -> None:
    """An option for each field of `request` that `names` has, with dashes for underscores."""
    fields = fields_of(request)
    for name in HELP:
        if name in fields and name in names:
            _add(parser, fields[name])


def given(arguments: argparse.Namespace, request: type) -> dict[str, Any]:
    """The fields of `request` that were written on the command line."""
    return {name: value for name, value in vars(arguments).items() if name in fields_of(request)}


def _add(parser: argparse.ArgumentParser, field: Field) -> None:
    flag = f"--{field.name.replace('_', '-')}"
    about: dict[str, Any] = {"help": _help(field), "default": argparse.SUPPRESS}
    if bool in field.plain:
        parser.add_argument(flag, action=argparse.BooleanOptionalAction, **about)
    else:
        parser.add_argument(flag, type=_parse(field), metavar=_metavar(field), **about)


def _help(field: Field) -> str:
    if "(default" in HELP[field.name]:
        return HELP[field.name]
    unset = field.default in (None, "", "unknown") or isinstance(field.default, bool)
    default = "" if unset or len(str(field.default)) > 20 else f" (default {field.default})"
    if isinstance(field.default, bool):
        default = f" (default {'yes' if field.default else 'no'})"
    return f"{HELP[field.name]}{default}".replace("%", "%%")


def _parse(field: Field) -> Parse:
    if field.listed:
        return numbers(field.listed[0])
    return next(kind for kind in (int, float, str) if kind in field.plain)


def _metavar(field: Field) -> str:
    if field.listed:
        return "N,N"
    return "TEXT" if str in field.plain else "N"


def numbers(kind: Parse) -> Parse:
    """A parser of numbers between commas."""

    def parse(text: str) -> list[Any]:
        return [kind(part) for part in text.split(",")]

    parse.__name__ = "list of numbers"  # as argparse's error calls it
    return parse


def text_of(path: Path) -> str:
    """The content of a text file that the user named.

    Raises:
        InvalidRequestError: it cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidRequestError(
            f"{path}: the text cannot be read ({error}). Give a file of UTF-8 text."
        ) from error
