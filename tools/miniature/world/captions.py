"""What a piece is called: a caption of its instruments, mood and form, in varied words."""

import random
from typing import Final

from .request import KEYBOARDS, Request

INSTRUMENTS: Final = {
    "drums": ("drums", "a drum kit", "a steady beat"),
    "bass": ("bass", "bass guitar", "a plucked bass"),
    "synth": ("kalimba", "a plucked synth", "a bell melody"),
    KEYBOARDS[0]: ("electric piano", "soft keys", "an electric piano"),
    KEYBOARDS[1]: ("organ", "warm organ chords", "a held organ"),
}
MOODS: Final = {
    True: ("lively", "upbeat", "energetic", "busy"),
    False: ("calm", "mellow", "gentle", "sparse"),
}
NOUNS: Final = ("instrumental", "tune", "groove", "piece")
FORMS: Final = (
    "{mood} {noun} with {players}",
    "{players}, {mood} {noun}",
    "a {mood} {noun} for {players}",
    "{noun}: {players}; {mood}",
)


def caption(request: Request) -> str:
    """One of many that say the same; the request's seed chooses."""
    choose = random.Random(f"caption {request.seed}")
    names = [request.keyboard if stem == "keyboard" else stem for stem in request.stems]
    players = [choose.choice(INSTRUMENTS[name]) for name in names]
    choose.shuffle(players)
    return choose.choice(FORMS).format(
        mood=choose.choice(MOODS[request.lively]),
        noun=choose.choice(NOUNS),
        players=", ".join(players),
    )
