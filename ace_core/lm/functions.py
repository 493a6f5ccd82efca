"""What the language model is for: think, compose codes, understand, create and format a song."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from ..constants import INSTRUMENTAL, LYRIC_CHARACTERS, SECONDS_RANGE
from ..errors import InvalidRequestError
from ..timing import codes_for
from ..types import AudioCodes, Song
from . import prompts
from .codes import write_codes
from .decoding import OnStep, Request, Step, decode
from .grammar import Place, walk
from .language_model import LanguageModel
from .metadata import Metadata, Reply, parse_parts, parse_reply
from .picking import CALM, DEFAULT, Picking
from .plan import EVERYTHING, Plan, Sample, Wanted, anything_to_write, fill, known, settled, sung

LONGEST_REPLY: Final = 3_500  # tokens of a text reply
MOST_ITEMS: Final = 8


@dataclass(frozen=True, slots=True)
class TextOptions:
    """How a text is written. `constrained` keeps the model to the grammar of its replies."""

    picking: Picking = DEFAULT
    seed: int = 0
    constrained: bool = True
    longest: int = LONGEST_REPLY  # tokens
    on_step: OnStep | None = None


@dataclass(frozen=True, slots=True)
class CodesOptions:
    """How codes are written: a seed an item, at most `chunk` items at a time.

    `negative` describes what guidance leads away from. `legacy` is the prompt layout of releases
    before the correction, in which guidance knows only the metadata.
    """

    seeds: tuple[int, ...] = (0,)
    picking: Picking = DEFAULT
    guidance: float = 2.0
    negative: str = ""
    legacy: bool = False
    chunk: int = MOST_ITEMS
    on_step: OnStep | None = None


def think(
    lm: LanguageModel,
    song: Song,
    wanted: Wanted = EVERYTHING,
    options: TextOptions = TextOptions(),
) -> Plan:
    """Phase 1: fill the blanks of `song`. What it states is written down as it stands."""
    stated = known(song)
    if not anything_to_write(stated, wanted):
        return Plan(song, Metadata.of(song))
    skip = {"genres", *(f for f in ("caption", "language") if not getattr(wanted, f))}
    prompt = prompts.plan_prompt(song.caption, sung(song))
    place = lm.fields.block(stated, skip)
    if not options.constrained:
        place = lm.fields.unconstrained(lm.vocabulary.think_end)
    reply, text = _write(lm, prompt, place, options)
    return Plan(song, settled(song, reply.metadata, wanted), text, reply.unread)


def compose_codes(
    lm: LanguageModel, plans: Sequence[Plan], options: CodesOptions = CodesOptions()
) -> list[AudioCodes]:
    """Phase 2: the codes of each plan, `int(seconds * 5)` of them; one seed a plan.

    Raises:
        InvalidRequestError: there are no plans, too many, or not one seed for each.
    """
    _check(plans, options)
    requests = [
        _codes_request(lm, *item, options) for item in zip(plans, options.seeds, strict=True)
    ]
    written: list[list[int]] = []
    total = sum(_longest(requests[i : i + options.chunk]) for i in _starts(requests, options))
    before = 0
    for start in _starts(requests, options):
        chunk = requests[start : start + options.chunk]
        on_step = _shifted(options.on_step, before, total)
        written += decode(lm, chunk, options.picking, options.guidance, on_step)
        before += _longest(chunk)
    codes = lm.vocabulary.codes
    return [AudioCodes(tuple(t - codes.start for t in ids if t in codes)) for ids in written]


def understand(
    lm: LanguageModel,
    codes: AudioCodes,
    options: TextOptions = TextOptions(CALM),
) -> Sample:
    """Describe the song that `codes` play."""
    prompt = prompts.understand_prompt(write_codes(codes))
    return _sample(lm, prompt, Song(), Metadata(), options)


def create_sample(
    lm: LanguageModel,
    query: str,
    instrumental: bool = False,
    language: str | None = None,
    options: TextOptions = TextOptions(),
    seconds: float | None = None,
) -> Sample:
    """A whole song from an idea. A language other than "unknown" and a length are kept.

    Raises:
        InvalidRequestError: the idea is longer than any lyrics.
    """
    if len(query) > LYRIC_CHARACTERS:
        raise InvalidRequestError(
            f"The idea has {len(query)} characters, but at most {LYRIC_CHARACTERS} are read. "
            "Say it in fewer words."
        )
    lyrics = INSTRUMENTAL if instrumental else ""
    asked = Song(lyrics=lyrics, language=language, seconds=seconds)
    prompt = prompts.create_prompt(query, instrumental)
    return _sample(lm, prompt, asked, known(asked), options)


def format_sample(lm: LanguageModel, song: Song, options: TextOptions = TextOptions()) -> Sample:
    """A better caption and better laid out lyrics; what `song` states is kept."""
    prompt = prompts.format_prompt(song.caption, song.lyrics)
    return _sample(lm, prompt, song, known(song), options)


def _sample(
    lm: LanguageModel, prompt: str, asked: Song, known: Metadata, options: TextOptions
) -> Sample:
    place = lm.fields.reply(known)
    if not options.constrained:
        place = lm.fields.unconstrained(lm.vocabulary.end)
    reply, text = _write(lm, prompt, place, options)
    song = fill(asked, reply.metadata)
    return Sample(replace(song, lyrics=reply.lyrics or asked.lyrics), reply, text)


def _write(lm: LanguageModel, prompt: str, place: Place, options: TextOptions) -> tuple[Reply, str]:
    """What the model replies, read and as text."""
    vocabulary = lm.vocabulary
    request = Request(tuple(vocabulary.encode(prompt)), place, options.seed, options.longest)
    (ids,) = decode(lm, [request], options.picking, on_step=options.on_step)
    text = vocabulary.decode(ids)
    if vocabulary.think_end in ids:
        cut = ids.index(vocabulary.think_end)
        reply = parse_parts(vocabulary.decode(ids[:cut]), vocabulary.decode(ids[cut + 1 :]))
    else:
        reply = parse_reply(text)
    if walk(place, ids) is not None:
        cut_short = f"the reply was cut after {options.longest} tokens"
        reply = replace(reply, unread=(*reply.unread, cut_short))
    return reply, text


def _check(plans: Sequence[Plan], options: CodesOptions) -> None:
    if not 1 <= len(plans) <= MOST_ITEMS:
        raise InvalidRequestError(
            f"Codes for {len(plans)} songs were asked for, but 1 to {MOST_ITEMS} are written at a "
            "time. Ask for fewer, or run it again."
        )
    if len(options.seeds) != len(plans):
        raise InvalidRequestError(
            f"There are {len(options.seeds)} seeds for {len(plans)} songs. Give each its own."
        )
    if options.chunk < 1:
        raise InvalidRequestError(f"The chunk size is {options.chunk}, but must be at least 1.")


def _codes_request(lm: LanguageModel, plan: Plan, seed: int, options: CodesOptions) -> Request:
    caption, lyrics, negative = plan.song.caption, sung(plan.song), options.negative
    if options.legacy:
        prompt = prompts.legacy_codes_prompt(caption, lyrics, plan.metadata)
        other = prompts.legacy_unconditional_prompt(caption, lyrics, negative)
    else:
        prompt = prompts.codes_prompt(caption, lyrics, plan.metadata)
        other = prompts.unconditional_prompt(negative)
    count = None if plan.seconds is None else codes_for(plan.seconds)
    encode = lm.vocabulary.encode
    return Request(
        prompt=tuple(encode(prompt)),
        place=lm.fields.codes(count),
        seed=seed,
        longest=codes_for(SECONDS_RANGE[1]) if count is None else count,
        unconditional=tuple(encode(other)) if options.guidance > 1 else None,
    )


def _starts(requests: Sequence[Request], options: CodesOptions) -> range:
    return range(0, len(requests), options.chunk)


def _longest(requests: Sequence[Request]) -> int:
    return max(request.longest for request in requests)


def _shifted(on_step: OnStep | None, before: int, total: int) -> OnStep | None:
    """The same callback, counting over all chunks."""
    if on_step is None:
        return None
    return lambda step: on_step(Step(before + step.done, total, step.tokens, step.names))
