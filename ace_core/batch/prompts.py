"""A prompts file: JSON lines, one song each, and the checks that need no loaded model."""

import difflib
import hashlib
import os
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, NamedTuple

from ..errors import AceStepError, InvalidRequestError, PromptsError
from ..inference.adapters import LoraChoice, choices_of
from ..inference.completeness import check_complete
from ..inference.limits import check_config, check_params, check_types
from ..inference.normalize import normalized
from ..inference.planning import missing
from ..inference.request import RANDOM_SEED, recipe_of
from ..inference.request import seeds_of as published_seeds
from ..inference.texts import draw_texts
from ..inference.types import GenerationConfig, GenerationParams
from ..parsing import LARGEST_JSON, parse_json, read_text
from ..texts import first_fault, home_path, name_fault, shown
from ..types import Variant

ID: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,99}")
Check = Callable[[Mapping[str, Any]], Iterable[str]]  # request -> its faults


@dataclass(frozen=True, slots=True)
class Line:
    """One song of the file. `request` holds the fields as given, without the id.

    A `fault` is of its texts alone, and is recorded as that song's failure; other faults of a line
    are mistakes of the file, which is then refused.
    """

    id: str
    number: int  # in the file, from 1
    request: Mapping[str, Any]
    fault: str | None = None


def read_lines(path: Path, check: Check) -> tuple[Line, ...]:
    """The lines of the file at `path`; empty ones are skipped, but counted.

    The id of a line without one is its number.

    Raises:
        PromptsError: the file cannot be read, or lines are wrong; the message lists all of them.
    """
    lines: list[Line] = []
    faults: list[str] = []
    ids: dict[str, int] = {}
    for number, text in enumerate(_texts(path), start=1):
        if not text.strip():
            continue
        found, line = _line(number, text, check)
        if line is not None:
            found += _id_faults(line, ids)
            lines.append(line)
        faults += [f"  line {number}: {fault}" for fault in found]
    if faults:
        raise PromptsError(f"{path}: {_summary(faults)}\n" + "\n".join(faults))
    if not lines:
        raise PromptsError(f"{path}: the file asks for no song. Write one JSON object per line.")
    return tuple(lines)


def _texts(path: Path) -> list[str]:
    try:
        return read_text(path, LARGEST_JSON).split("\n")
    except OSError as error:
        raise PromptsError(
            f"{shown(path)}: the prompts cannot be read ({error.strerror}). Give a file of JSON "
            "lines."
        ) from error
    except UnicodeDecodeError as error:
        raise PromptsError(
            f"{path}: byte {error.start} is not UTF-8. Save the file as UTF-8 text."
        ) from error
    except ValueError as error:
        raise PromptsError(
            f"{path}: the prompts cannot be read: {error}. Divide them into several files."
        ) from error


def _line(number: int, text: str, check: Check) -> tuple[list[str], Line | None]:
    """The faults of one line, and the line if its id is valid."""
    try:
        content = parse_json(text, unique=True, halves=True)
    except ValueError as error:
        return [f"not JSON: {error}"], None
    if not isinstance(content, dict):
        return [f'a {type(content).__name__}, not an object like {{"caption": "calm piano"}}'], None
    name = content.pop("id", f"{number:04d}")
    if not isinstance(name, str) or not ID.fullmatch(name):
        return [
            f"the id {shown(name)!r} cannot be a file's name. Use letters, digits, - and _, at "
            "most 100."
        ], None
    if fault := name_fault(name):
        return [f"the id {name!r} {fault}: not every system can hold it. Choose another."], None
    fault = first_fault(content)
    faults = [] if fault else list(check(content))
    return faults, Line(name, number, content, fault)


def _id_faults(line: Line, ids: dict[str, int]) -> list[str]:
    """A repeated id; ids that differ in case only are one file on some systems."""
    first = ids.setdefault(line.id.lower(), line.number)
    return [] if first == line.number else [f"the id {line.id!r} is that of line {first}, too"]


def _summary(faults: list[str]) -> str:
    return f"{len(faults)} fault{'s' if len(faults) > 1 else ''}; no model was loaded"


def unknown_fields(request: Mapping[str, Any], known: Iterable[str]) -> list[str]:
    """A fault for every field that is not `known`, with the nearest name that is."""
    names = list(known)
    faults = []
    for name in request:
        if name not in names:
            near = difflib.get_close_matches(name, names, n=1)
            faults.append(f"{shown(name)!r} is no field{f'; is it {near[0]!r}?' if near else ''}")
    return faults


CONFIG_FIELDS: Final = (
    "batch_size",
    "seeds",
    "audio_format",
    "allow_lm_batch",
    "lm_batch_chunk_size",
    "lyric_timestamps",
    "score",
    "best_of",
    "prefer",
    "until",
    "tries",
)  # fields of the configuration; `use_random_seed` is not one, since a batch always keeps its seeds
RECORDINGS: Final = ("src_audio", "reference_audio")
NAMES: Final = (*(field.name for field in fields(GenerationParams)), *CONFIG_FIELDS)


class Request(NamedTuple):
    """The arguments of the published call."""

    params: GenerationParams
    config: GenerationConfig


@dataclass(frozen=True, slots=True)
class Rules:
    """What a line is checked against: the model's variant, the base of relative paths of recordings
    and adapters, the check of the adapters of a line, and whether there is a language model."""

    variant: Variant
    base: Path
    check_adapters: Callable[[tuple[str, ...]], None] | None = None
    has_lm: bool = True

    def faults(self, fields: Mapping[str, Any]) -> list[str]:
        """Why these fields cannot be carried out; empty when they can."""
        unknown = unknown_fields(fields, NAMES)
        if unknown:
            return unknown
        try:
            request = request_of(fields, self.base)
            check_request(request, self.variant, self.has_lm)
            if self.check_adapters is not None:
                self.check_adapters(tuple(request.params.lora or ()))
        except (AceStepError, TypeError) as error:
            return [str(error)]
        return []


def request_of(fields: Mapping[str, Any], base: Path, seeds: Iterable[int] = ()) -> Request:
    """The request of a line, one song by default; null means "not given".

    Raises:
        TypeError: a field has another type.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    settings = {name: given.pop(name) for name in CONFIG_FIELDS if name in given}
    if seeds:
        settings["seeds"] = list(seeds)
    params = normalized(GenerationParams(**given))
    config = normalized(GenerationConfig(**{"batch_size": 1, **settings, "use_random_seed": False}))
    check_types(params)
    check_types(config)
    for name in RECORDINGS:
        if path := getattr(params, name):
            setattr(params, name, str(base / path))
    if params.lora is not None:
        params.lora = [_adapter_at(base, choice) for choice in choices_of(params.lora)]
    return Request(params, config)


def _adapter_at(base: Path, choice: LoraChoice) -> str:
    """The adapter at its path from `base`; one that is not there is looked for among the models."""
    path = base / home_path(choice.file)
    return str(choice._replace(file=str(path)) if os.path.exists(path) else choice)


def check_request(request: Request, variant: Variant, has_lm: bool = True) -> None:
    """Everything about a request that needs neither a model nor the content of a recording.

    Raises:
        AceStepError: the model, or any model, cannot do it.
    """
    params, config = request
    check_types(params)
    check_config(config)
    seeds = published_seeds(params, config)
    for texts in draw_texts(params, seeds):
        check_params(texts.params, config, variant)
        check_complete(texts.params, config, None if has_lm else missing(None))
    recipe_of(params, variant, seeds)
    for name in RECORDINGS:
        path = getattr(params, name)
        if path and not os.path.isfile(path):
            raise InvalidRequestError(f"`{name}`: there is no file {shown(path)}. Check the path.")


def seeds_of(line: Line, salt: str) -> tuple[int, ...]:
    """The seeds of a line, one per item: those that it gives, then random ones.

    The random ones are derived from the given ones, or from the batch's `salt` and the line's id,
    so they are the same whenever the batch is resumed and do not depend on other lines. A line
    with a fault has none.
    """
    if line.fault is not None:
        return ()
    params, config = request_of(line.request, Path())
    if config.seeds is None and params.seed == RANDOM_SEED:
        digest = hashlib.sha256(f"{salt}/{line.id}".encode()).digest()
        config.seeds = [int.from_bytes(digest[:4], "big")]
    return published_seeds(params, config)
