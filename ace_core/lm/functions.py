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
from .decoding import OnStep, Request, decode
from .grammar import State, walk
from .language_model import LanguageModel
from .metadata import Metadata, Reply, parse_parts, parse_reply
from .plan import (
    ALL_FIELDS,
    CotFields,
    Plan,
    Sample,
    fill,
    given_metadata,
    lyrics_for_prompt,
    merge,
    needs_model,
)
from .sampling import DEFAULT, DESCRIBING, SamplingParams

MAX_REPLY_TOKENS: Final = 3_500
MAX_BATCH: Final = 8


@dataclass(frozen=True, slots=True)
class TextOptions:
    """How a text is generated. `constrained` keeps it to the grammar of the model's replies."""

    sampling: SamplingParams = DEFAULT
    seed: int = 0
    constrained: bool = True
    max_tokens: int = MAX_REPLY_TOKENS
    on_step: OnStep | None = None


@dataclass(frozen=True, slots=True)
class CodesOptions:
    """How codes are generated: one seed per item, at most `chunk` items at a time.

    `negative_prompt` is what guidance leads away from. `legacy_prompt` is the prompt layout of
    releases before the correction, whose uncond prompt lacks only the metadata.
    """

    seeds: tuple[int, ...] = (0,)
    sampling: SamplingParams = DEFAULT
    cfg_scale: float = 2.0
    negative_prompt: str = ""
    legacy_prompt: bool = False
    chunk: int = MAX_BATCH
    on_step: OnStep | None = None


def think(
    lm: LanguageModel,
    song: Song,
    cot: CotFields = ALL_FIELDS,
    options: TextOptions = TextOptions(),
) -> Plan:
    """Phase 1: fills the open fields of `song`. The values it gives are kept literally."""
    given = given_metadata(song)
    if not needs_model(given, cot):
        return Plan(song, Metadata.of(song))
    skip = {"genres", *(f for f in ("caption", "language") if not getattr(cot, f))}
    prompt = prompts.plan_prompt(song.caption, lyrics_for_prompt(song))
    grammar = lm.grammar.block(given, skip)
    if not options.constrained:
        grammar = lm.grammar.unconstrained(lm.vocabulary.think_end)
    reply, text = _generate(lm, prompt, grammar, options)
    return Plan(song, merge(song, reply.metadata, cot), text, reply.warnings)


def compose_codes(
    lm: LanguageModel, plans: Sequence[Plan], options: CodesOptions = CodesOptions()
) -> list[AudioCodes]:
    """Phase 2: the codes of each plan, `int(seconds * 5)` of them; one seed per plan.

    Raises:
        InvalidRequestError: there are no plans, too many, or not one seed for each.
    """
    _check(plans, options)
    requests = [
        _codes_request(lm, plan, seed, options)
        for plan, seed in zip(plans, options.seeds, strict=True)
    ]
    chunks = [requests[i : i + options.chunk] for i in range(0, len(requests), options.chunk)]
    steps = [max(request.max_tokens for request in chunk) for chunk in chunks]
    tokens: list[list[int]] = []
    for i, chunk in enumerate(chunks):
        on_step = _offset(options.on_step, sum(steps[:i]), sum(steps))
        tokens += decode(lm, chunk, options.sampling, options.cfg_scale, on_step)
    codes = lm.vocabulary.codes
    return [AudioCodes(tuple(t - codes.start for t in ids if t in codes)) for ids in tokens]


def understand(
    lm: LanguageModel,
    codes: AudioCodes,
    options: TextOptions = TextOptions(DESCRIBING),
) -> Sample:
    """Describe the song that `codes` play.

    Raises:
        InvalidCodesError: they are of another model.
    """
    lm.vocabulary.check_codes(codes)
    prompt = prompts.understand_prompt(write_codes(codes))
    return _sample(lm, prompt, Song(), Metadata(), options)


def create_sample(
    lm: LanguageModel,
    query: str,
    instrumental: bool = False,
    language: str | None = None,
    options: TextOptions = TextOptions(DESCRIBING),
    seconds: float | None = None,
) -> Sample:
    """A whole song from an idea. A language other than "unknown" and a length are kept, and what
    is `instrumental` has no words to sing.

    Raises:
        InvalidRequestError: the idea is longer than any lyrics.
    """
    if len(query) > LYRIC_CHARACTERS:
        raise InvalidRequestError(
            f"The idea has {len(query)} characters, but at most {LYRIC_CHARACTERS} are read. "
            "Say it in fewer words."
        )
    lyrics = INSTRUMENTAL if instrumental else ""
    song = Song(lyrics=lyrics, language=language, seconds=seconds)
    prompt = prompts.create_prompt(query, instrumental)
    sample = _sample(lm, prompt, song, given_metadata(song), options)
    if not instrumental:
        return sample
    return replace(sample, song=replace(sample.song, lyrics=INSTRUMENTAL))  # it may write words


def format_sample(
    lm: LanguageModel, song: Song, options: TextOptions = TextOptions(DESCRIBING)
) -> Sample:
    """A better caption and better laid out lyrics; the values that `song` gives are kept."""
    prompt = prompts.format_prompt(song.caption, song.lyrics)
    return _sample(lm, prompt, song, given_metadata(song), options)


def _sample(
    lm: LanguageModel, prompt: str, song: Song, given: Metadata, options: TextOptions
) -> Sample:
    grammar = lm.grammar.reply(given)
    if not options.constrained:
        grammar = lm.grammar.unconstrained(lm.vocabulary.end)
    reply, text = _generate(lm, prompt, grammar, options)
    filled = fill(song, reply.metadata)
    return Sample(replace(filled, lyrics=reply.lyrics or song.lyrics), reply, text)


def _generate(
    lm: LanguageModel, prompt: str, grammar: State, options: TextOptions
) -> tuple[Reply, str]:
    """The model's reply, parsed and as text."""
    vocabulary = lm.vocabulary
    request = Request(tuple(vocabulary.encode(prompt)), grammar, options.seed, options.max_tokens)
    (ids,) = decode(lm, [request], options.sampling, on_step=options.on_step)
    text = vocabulary.decode(ids)
    if vocabulary.think_end in ids:
        split = ids.index(vocabulary.think_end)
        reply = parse_parts(vocabulary.decode(ids[:split]), vocabulary.decode(ids[split + 1 :]))
    else:
        reply = parse_reply(text)
    if walk(grammar, ids) is not None:
        truncated = f"the reply was cut after {options.max_tokens} tokens"
        reply = replace(reply, warnings=(*reply.warnings, truncated))
    return reply, text


def _check(plans: Sequence[Plan], options: CodesOptions) -> None:
    if not 1 <= len(plans) <= MAX_BATCH:
        raise InvalidRequestError(
            f"Codes for {len(plans)} songs were asked for, but 1 to {MAX_BATCH} are written at a "
            "time. Ask for fewer, or run it again."
        )
    if len(options.seeds) != len(plans):
        raise InvalidRequestError(
            f"There are {len(options.seeds)} seeds for {len(plans)} songs. Give each its own."
        )
    if options.chunk < 1:
        raise InvalidRequestError(f"The chunk size is {options.chunk}, but must be at least 1.")


def _codes_request(lm: LanguageModel, plan: Plan, seed: int, options: CodesOptions) -> Request:
    caption, lyrics = plan.song.caption, lyrics_for_prompt(plan.song)
    if options.legacy_prompt:
        prompt = prompts.legacy_codes_prompt(caption, lyrics, plan.metadata)
        uncond = prompts.legacy_uncond_prompt(caption, lyrics, options.negative_prompt)
    else:
        prompt = prompts.codes_prompt(caption, lyrics, plan.metadata)
        uncond = prompts.uncond_prompt(options.negative_prompt)
    count = None if plan.seconds is None else codes_for(plan.seconds)
    encode = lm.vocabulary.encode
    return Request(
        prompt=tuple(encode(prompt)),
        grammar=lm.grammar.codes(count),
        seed=seed,
        max_tokens=codes_for(SECONDS_RANGE[1]) if count is None else count,
        uncond_prompt=tuple(encode(uncond)) if options.cfg_scale > 1 else None,
    )


def _offset(on_step: OnStep | None, done: int, total: int) -> OnStep | None:
    """The same callback, counting over all chunks."""
    if on_step is None:
        return None
    return lambda step: on_step(replace(step, done=done + step.done, total=total))
