"""What a piece is called: a caption of its instruments, mood, key and tempo, in varied words."""

import random
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ace_core.measure.key import PITCHES

from .channels import STEMS
from .request import KEYBOARDS, METERS, Request, at_tempo, beats

INSTRUMENTS: Final = {
    "drums": ("drums", "a drum kit", "a steady beat", "percussion", "a drum groove", "beats"),
    "bass": ("bass", "bass guitar", "a plucked bass", "a bassline", "deep bass"),
    "synth": ("kalimba", "a plucked synth", "a bell melody", "synth", "synth lead", "bells"),
    KEYBOARDS[0]: ("electric piano", "soft keys", "an electric piano", "piano", "Rhodes", "keys"),
    KEYBOARDS[1]: ("organ", "warm organ chords", "a held organ", "Hammond organ", "organ pads"),
}
MOODS: Final = {
    True: ("lively", "upbeat", "energetic", "busy", "fast-paced", "driving"),
    False: ("calm", "mellow", "gentle", "sparse", "relaxed", "slow and soft"),
}
NOUNS: Final = ("instrumental", "tune", "groove", "piece", "song", "track", "music", "loop")
FORMS: Final = (
    "{mood} {noun} with {players}",
    "{players}, {mood} {noun}",
    "a {mood} {noun} for {players}",
    "{noun}: {players}; {mood}",
    "{mood} {players}",
    "{players}, {mood}",
    "{players}",
)
NAMELESS: Final = ("{mood} {noun}", "a {noun}, {mood}", "{noun}")
OTHER_WORDS: Final = (  # that say nothing of the world
    *("pop", "lo-fi", "jazz", "rock", "cinematic", "warm", "happy", "sad", "ambient", "funk"),
    *("night drive", "summer", "game soundtrack", "80s", "dreamy", "dark", "bright", "house"),
    *("hip hop", "folk", "dance", "study beats", "with a nice melody", "high quality", "studio"),
)
METER_WORDS: Final = {
    3: ("waltz", "in 3/4", "3/4 time"),
    4: ("in 4/4", "4/4"),
    6: ("in 6/8", "6/8 time"),
}
TEMPO_WORDS: Final = ("{} bpm", "{} BPM", "at {} bpm", "{}bpm", "tempo {}")
KEY_WORDS: Final = ("in {}", "key of {}", "{}", "in the key of {}")
FLATS: Final = MappingProxyType({"C#": "Db", "D#": "Eb", "F#": "Gb", "G#": "Ab", "A#": "Bb"})
NAMED: Final = 0.85  # how often a caption names the instruments
TEMPI: Final = range(50, 201)  # that a text may ask for


@dataclass(frozen=True, slots=True)
class Caption:
    """A text, and which facts of the request it says."""

    text: str
    facts: frozenset[str] = frozenset()  # of "stems", "mood", "key", "bpm", "meter"


def caption(request: Request) -> str:
    """One of many that say instruments and mood; the request's seed chooses."""
    choose = random.Random(f"caption {request.seed}")
    return choose.choice(FORMS[:4]).format(
        mood=choose.choice(MOODS[request.lively]),
        noun=choose.choice(NOUNS[:4]),
        players=", ".join(_players(request, choose)),
    )


def free_caption(
    request: Request, bpm: int, choose: random.Random, named_often: float = NAMED
) -> Caption:
    """As somebody may type it: any of the facts, in any order, and words that say nothing. `bpm`
    is how a text names the tempo; `named_often` is how often the instruments are named."""
    named = choose.random() < named_often
    form = choose.choice(FORMS if named else NAMELESS)
    facts = ({"stems"} if named else set[str]()) | ({"mood"} if "{mood}" in form else set[str]())
    text = form.format(
        mood=choose.choice(MOODS[request.lively]),
        noun=choose.choice(NOUNS),
        players=choose.choice((", ", ", ", " and ")).join(_players(request, choose)),
    )
    more = {
        "key": (0.35, choose.choice(KEY_WORDS).format(written_key(request, choose))),
        "bpm": (0.35, choose.choice(TEMPO_WORDS).format(bpm)),
        "meter": (0.2, choose.choice(METER_WORDS[request.meter])),
    }
    parts = [text]
    for fact in choose.sample(sorted(more), len(more)):
        often, words = more[fact]
        if choose.random() < often:
            facts.add(fact)
            parts.append(words)
    if choose.random() < 0.3:
        parts.insert(choose.randrange(len(parts) + 1), choose.choice(OTHER_WORDS))
    return Caption(_in_case(_joined(parts, choose), choose), frozenset(facts))


def written_key(request: Request, choose: random.Random) -> str:
    """The key as one of its two names."""
    name = PITCHES[request.tonic]
    if name in FLATS and choose.random() < 0.5:
        name = FLATS[name]
    return f"{name} {request.mode}"


def written_tempo(request: Request, choose: random.Random) -> int:
    """A whole number of beats per minute that the world plays as the request's tempo."""
    if choose.random() < 0.5:
        return request.bpm
    return choose.choice(_NEAREST[request.meter][request.beat_frames])


def _players(request: Request, choose: random.Random) -> list[str]:
    names = [request.keyboard if stem == "keyboard" else stem for stem in request.stems]
    players = [choose.choice(INSTRUMENTS[name]) for name in names]
    choose.shuffle(players)
    return players


def _joined(parts: list[str], choose: random.Random) -> str:
    return choose.choice((", ", ", ", " ", ". ")).join(parts)


def _in_case(text: str, choose: random.Random) -> str:
    """Captions are written in small letters, with a capital, or with a full stop."""
    kind = choose.random()
    if kind < 0.2:
        return text[0].upper() + text[1:]
    return text[0].upper() + text[1:] + "." if kind < 0.3 else text


def _nearest() -> dict[int, dict[int, list[int]]]:
    """By meter and frames per beat, the tempi of a text that are nearest to it."""
    table: dict[int, dict[int, list[int]]] = {}
    for meter in METERS:
        frames = {each: list[int]() for each in beats(meter)}
        plain = Request(0, 10.0, next(iter(frames)), meter, 0, "major", tuple(STEMS))
        for bpm in TEMPI:
            frames[at_tempo(plain, bpm).beat_frames].append(bpm)
        table[meter] = frames
    return table


_NEAREST: Final = _nearest()
