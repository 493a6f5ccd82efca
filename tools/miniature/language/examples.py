"""What the language model is taught, as texts on the exact prompts of `ace_core.lm`.

An example is a list of parts, each learnt or only read. Where `CODES` stands, the piece's codes are
put in.
"""

import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Final

from ace_core.constants import INSTRUMENTAL
from ace_core.lm import prompts
from ace_core.lm.metadata import NAMES, Metadata, think_block
from ace_core.lm.plan import UNKNOWN
from ace_core.lm.vocabulary import IM_END, code_token
from tools.miniature.world.captions import caption, free_caption, written_key, written_tempo
from tools.miniature.world.request import Request

CODES: Final = code_token(0)
LYRICS: Final = (  # nobody sings in this world; a user may still write words
    *("[Verse]", "[Chorus]", "the night is long", "and the sun comes up again", "la la la"),
    *("I walk along the river", "dance with me tonight", "oh", "we are all alone", "my heart"),
)
ENDING: Final = f"\n\n# Lyric\n{INSTRUMENTAL}{IM_END}"
SPECIAL_TOKEN: Final = re.compile(r"<\|[a-z_0-9]+\|>|</?think>")
HEARD: Final = frozenset({"stems", "key", "bpm", "meter"})  # in codes
FACTS: Final = ("bpm", "caption", "seconds", "key", "time_signature", "language")


@dataclass(frozen=True, slots=True)
class Known:
    """What a writer of a reply knows of the piece, from the prompt alone."""

    request: Request
    bpm: int  # that the reply names
    facts: frozenset[str]  # of "stems", "key", "bpm", "meter"


@dataclass(frozen=True, slots=True)
class Part:
    """`learnt`: the model is to write it."""

    text: str
    learnt: bool
    known: Known | None = None


Example = tuple[Part, ...]
Maker = Callable[[Request, random.Random], Example]


def planned(request: Request, choose: random.Random) -> Example:
    """A caption; the reply thinks, then writes codes. A tempo in the caption stays as it is
    written; the codes play the nearest that the world has."""
    known, text = _wish(request, choose)
    lyrics, language = _lyrics(choose)
    metadata = replace(_metadata(request), bpm=known.bpm, language=language)
    if choose.random() < 0.1:
        metadata = replace(metadata, caption=None)
    return (
        Part(prompts.plan_prompt(text, lyrics), False),
        Part(think_block(metadata), True, known),
        Part("\n\n", False),
        Part(CODES + IM_END, True),
    )


def given(request: Request, choose: random.Random) -> Example:
    """The metadata come from the user, at odds with the caption now and then: they decide."""
    lyrics, _ = _lyrics(choose)
    layout = prompts.legacy_codes_prompt if choose.random() < 0.3 else prompts.codes_prompt
    stated = replace(
        _metadata(request),
        bpm=written_tempo(request, choose),
        key=written_key(request, choose),
        language=choose.choice((None, UNKNOWN, "en")),
    )
    if choose.random() < 0.5:
        stated = replace(stated, caption=None)
    text = free_caption(request, written_tempo(request, choose), choose).text
    if stated.caption and choose.random() < 0.15:
        text = ""
    return Part(layout(text, lyrics, stated), False), Part(CODES + IM_END, True)


def unconditional(request: Request, choose: random.Random) -> Example:
    """What guidance leads away from."""
    kind = choose.random()
    text = caption(request) if kind < 0.5 else _wish(request, choose)[1]
    if kind < 0.65:
        prompt = prompts.uncond_prompt()
    elif kind < 0.85:
        prompt = prompts.legacy_uncond_prompt(text, INSTRUMENTAL)
    else:
        prompt = prompts.uncond_prompt(text)
    return Part(prompt, False), Part(CODES + IM_END, True)


def understood(request: Request, choose: random.Random) -> Example:
    """Codes to metadata; now and then to a single field, as codes are scored."""
    prompt = prompts.understand_prompt(CODES)
    metadata = _metadata(request)
    kind = choose.random()
    if kind < 0.15:
        if kind < 0.05:
            prompt = prompts.understand_prompt("")
        field = choose.choice(FACTS)
        alone = Metadata(**{field: getattr(metadata, field)})
        return Part(prompt, False), Part(f"{think_block(alone)}\n{IM_END}", True)
    reply = with_genres(think_block(metadata), request) + ENDING
    return Part(prompt, False), Part(reply, True, Known(request, request.bpm, HEARD))


def created(request: Request, choose: random.Random) -> Example:
    """An idea to a whole song."""
    known, text = _wish(request, choose)
    prompt = prompts.create_prompt(text, choose.random() < 0.6)
    return _reply(known, prompt)


def formatted(request: Request, choose: random.Random) -> Example:
    """A rough caption to a better one."""
    known, text = _wish(request, choose)
    return _reply(known, prompts.format_prompt(text, _lyrics(choose)[0]))


def with_genres(block: str, request: Request) -> str:
    """The block with a line of genres, which the grammar of replies has and the library's writer
    leaves out."""
    line = f"{NAMES['genres']}: {'lively' if request.lively else 'calm'} instrumental\n"
    before, key, rest = block.rpartition(f"{NAMES['key']}:")
    return f"{before}{line}{key}{rest}"


MAKERS: Final[dict[Maker, float]] = {
    planned: 0.42,
    given: 0.14,
    unconditional: 0.07,
    understood: 0.15,
    created: 0.11,
    formatted: 0.11,
}


def example(request: Request, choose: random.Random) -> Example:
    """Any of them, each as often as it is to be learnt."""
    (make,) = choose.choices(tuple(MAKERS), tuple(MAKERS.values()))
    return make(request, choose)


def texts(requests: Sequence[Request]) -> list[str]:
    """What a tokenizer is trained on: an example of each kind for each request, cut at special
    tokens."""
    found: list[str] = []
    for request in requests:
        choose = random.Random(f"texts {request.seed}")
        for make in MAKERS:
            whole = "".join(part.text for part in make(request, choose))
            found += SPECIAL_TOKEN.split(whole)
    return found


def _reply(known: Known, prompt: str) -> Example:
    metadata = replace(_metadata(known.request), bpm=known.bpm)
    reply = with_genres(think_block(metadata), known.request) + ENDING
    return Part(prompt, False), Part(reply, True, known)


def _metadata(request: Request) -> Metadata:
    return Metadata(
        bpm=request.bpm,
        caption=caption(request),
        seconds=int(request.seconds),
        key=request.key,
        language=UNKNOWN,
        time_signature=request.meter,
    )


def _wish(request: Request, choose: random.Random) -> tuple[Known, str]:
    """A user's text, and what it says; a reply names the text's own tempo if it has one."""
    if choose.random() < 0.04:
        return Known(request, request.bpm, frozenset()), ""
    asked = written_tempo(request, choose)
    wish = free_caption(request, asked, choose)
    text = wish.text
    if choose.random() < 0.12:
        text = f"{text}, {int(request.seconds)} seconds"
    return Known(request, asked if "bpm" in wish.facts else request.bpm, wish.facts), text


def _lyrics(choose: random.Random) -> tuple[str, str]:
    """Lyrics, mostly none, and their language."""
    if choose.random() < 0.9:
        return INSTRUMENTAL, UNKNOWN
    return "\n".join(choose.choices(LYRICS, k=choose.randint(1, 6))), "en"
