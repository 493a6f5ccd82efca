"""The language model that lies in the family: small, official, and as taught."""

import pytest

from ace_core.lm.functions import CodesOptions, TextOptions, compose_codes, think, understand
from ace_core.types import AudioCodes, Song
from ace_core.weights.checkpoint import Kind
from ace_core.weights.detect import inspect
from tools.miniature.evaluation.tempo import tempo_kept
from tools.miniature.language.figures import FIRST, load, queries, roll_of, same_key
from tools.miniature.language.songs import request_of, song_of
from tools.miniature.training.parts import LANGUAGE_MODEL

LARGEST = 2_600_000  # bytes of the folder


@pytest.fixture(scope="module")
def lm():
    return load(LANGUAGE_MODEL)


def test_it_lies_in_the_official_layout_and_is_small():
    assert inspect(LANGUAGE_MODEL).kinds == {Kind.LM}
    assert sum(file.stat().st_size for file in LANGUAGE_MODEL.iterdir()) < LARGEST


def test_it_plans_and_plays_what_a_text_asks_for(lm):
    asked = queries(16)[1::2]  # these say tempo and key
    told, played = [], []
    for seed, query in enumerate(asked):
        song = Song(query.caption.text, seconds=12.0)
        plan = think(lm, song, options=TextOptions(seed=seed))
        told.append(plan.metadata.bpm == query.bpm)
        told.append(same_key(plan.metadata.key, query.request.key))
        (codes,) = compose_codes(lm, [plan], CodesOptions((seed,)))
        played.append(tempo_kept(roll_of(codes), query.request, octaves=True))
    assert sum(told) >= 12, told  # of 16
    assert sum(played) >= 5, played  # of 8; by chance a piece in six


def test_it_understands_codes(lm):
    right = []
    for seed in range(FIRST, FIRST + 8):
        song = song_of(request_of(seed))
        found = understand(lm, AudioCodes(tuple(song.codes.tolist()))).reply.metadata
        right.append(found.time_signature == song.request.meter)
        right.append(found.bpm is not None and abs(found.bpm / song.request.bpm - 1) < 0.04)
    assert sum(right) >= 11, right  # of 16
