"""What of a node's inputs a run does not read, and why: one table for all nodes.

An input that was changed from its default, or connected, and that a rule of the table names comes
back as a note for the node. `ace_core.inference.unused` is the same for the library.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from comfy_api.latest import io

from ..ace_core.cleaning import clean
from ..ace_core.constants import TRACKS
from ..ace_core.lm.plan import CotFields, given_metadata, needs_model
from ..ace_core.sampling.recipe import parse_seeds
from ..ace_core.sampling.repaint import RepaintMode
from ..ace_core.texts import not_used
from ..ace_core.types import Song
from ..ace_core.wildcards import expand
from .formats import FORMATS
from .seeds import NO_RETAKE

Values = Mapping[str, Any]  # what a node was given, by the names of its inputs
PREFIX: Final = "AceStep15"


class Rule(NamedTuple):
    """Inputs that are not read where `applies`."""

    nodes: str  # without the prefix of their ids, with spaces between them
    inputs: str  # with spaces between them
    reason: str
    applies: Callable[[Values], bool]


_WRITERS: Final = "Think CreateSample FormatSample Understand ComposeCodes"
_RETAKES: Final = "Sampler Noise"
_OWN: Final = "the instruction names what to play"


def _has(name: str) -> Callable[[Values], bool]:
    """Whether that input is filled, connected or on."""
    return lambda given: not _blank(given[name])


def _lacks(name: str) -> Callable[[Values], bool]:
    return lambda given: _blank(given[name])


def _blank(value: Any) -> bool:
    """Nothing, an empty text, no pieces of codes, or off."""
    return value is None or (isinstance(value, (str, tuple, bool)) and not value)


def _is(name: str, value: object) -> Callable[[Values], bool]:
    return lambda given: given[name] == value


def _is_not(name: str, value: object) -> Callable[[Values], bool]:
    return lambda given: given[name] != value


def _nothing_to_think(given: Values) -> bool:
    cot = CotFields(given["metadata"], given["caption"], given["language"])
    return not needs_model(given_metadata(given["song"]), cot)


def _no_wildcards(given: Values) -> bool:
    texts = [given["caption"], "" if given["instrumental"] else given["lyrics"]]
    return not any(expand(clean(text).text, 0).choices for text in texts)


def _first_seed_given(given: Values) -> bool:
    return (parse_seeds(given["seeds"]) or [None])[0] is not None


RULES: Final[tuple[Rule, ...]] = (
    # the song and its plan
    Rule(
        "Song",
        "lyrics",
        "instrumental is on",
        lambda given: given["instrumental"] and not Song(lyrics=given["lyrics"]).instrumental,
    ),
    Rule("Song", "wildcard_seed", "caption and lyrics have no wildcards", _no_wildcards),
    Rule(
        "Think",
        "seed temperature top_p top_k min_p repetition_penalty constrained_decoding trace",
        "the song leaves nothing open that is switched on, so the model writes nothing",
        _nothing_to_think,
    ),
    Rule(
        _WRITERS,
        "seed top_p top_k min_p",
        "temperature 0 takes the most likely token",
        _is("temperature", 0),
    ),
    Rule("ComposeCodes", "negative_prompt", "cfg 1 is off", _is("cfg", 1)),
    # tasks
    Rule("TextToMusic", "cover_strength", "no codes are connected", _lacks("codes")),
    Rule(
        "TextToMusic",
        "instruction",
        "no step follows it at a cover_strength of 0",
        lambda given: bool(given["codes"]) and given["cover_strength"] == 0,
    ),
    Rule(
        "Cover",
        "quantize instruction",
        "no step follows the source at a cover_strength of 0",
        _is("cover_strength", 0),
    ),
    Rule(
        "Morph",
        "source_song n_avg",
        "the edit ends where it starts",
        lambda given: given["n_min"] == given["n_max"],
    ),
    Rule("Repaint", "start end", "the mask replaces them", _has("mask")),
    Rule(
        "Repaint",
        "strength",
        "it is for the mode balanced",
        _is_not("mode", RepaintMode.BALANCED.value),
    ),
    Rule("Lego", "keep_source", "no mask is connected", _lacks("mask")),
    Rule("Lego Extract", "track", _OWN, _has("instruction")),
    Rule("Complete", " ".join(TRACKS), _OWN, _has("instruction")),
    # sampling
    Rule("Guidance", "kind start end", "scale 1 is off", _is("scale", 1)),
    Rule("Sampler", "seed", "seeds has the first one", _first_seed_given),
    Rule("Noise", "seed", "seeds has the first one", _first_seed_given),
    Rule(_RETAKES, "retake_variance", "there is no retake_seed", _is("retake_seed", NO_RETAKE)),
    Rule(_RETAKES, "retake_seed", "retake_variance is 0", _is("retake_variance", 0)),
    Rule("Sampler", "vae preview_at", "preview_every is 0", _is("preview_every", 0)),
    # sound
    Rule("EncodeAudio", "seed", "the mean needs none", _is("posterior", "mean")),
    Rule("Score", "score_scale", "no language model is connected", _lacks("lm")),
    Rule(
        "Score",
        "heads",
        "nobody sings in an instrumental song",
        lambda given: given["song"].instrumental,
    ),
    Rule("StemLevel", "gain pan", "mute is on", _has("mute")),
    Rule(
        "SaveAudio",
        "bitrate",
        "the format is lossless",
        lambda given: not FORMATS[given["format"]].lossy,
    ),
    Rule("SaveAudio", "normalization_db", "it is for peak", _is_not("normalization", "peak")),
    Rule(
        "SaveAudio",
        "normalization_lufs",
        "it is for loudness",
        _is_not("normalization", "loudness"),
    ),
)


def rules_of(schema: io.Schema) -> list[Rule]:
    """Those of one node."""
    name = schema.node_id.removeprefix(PREFIX)
    return [rule for rule in RULES if name in rule.nodes.split()]


def unused_notes(schema: io.Schema, given: Values) -> list[str]:
    """One note for each reason, in the order of the table."""
    rules = rules_of(schema)
    if not rules:
        return []
    defaults = {each.id: getattr(each, "default", None) for each in schema.inputs}
    values = {**defaults, **given}
    asked = set(_asked(defaults, values))
    by_reason: dict[str, list[str]] = {}
    for rule in rules:
        names = [name for name in rule.inputs.split() if name in asked]
        if names and rule.applies(values):
            by_reason.setdefault(rule.reason, []).extend(names)
            asked -= set(names)
    return [not_used(names, reason) for reason, names in by_reason.items()]


def _asked(defaults: Values, values: Values) -> Iterator[str]:
    """The inputs that ask for something: connected ones and changed values."""
    for name, value in values.items():
        default = defaults.get(name)
        if value is not None and (default is None or value != default):
            yield name
