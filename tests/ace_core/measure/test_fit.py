"""What was asked of a song against what is measured of a take, and the ranking of several."""

from dataclasses import replace

import pytest
import torch

from ace_core import constants
from ace_core.errors import InvalidRequestError
from ace_core.measure import key
from ace_core.measure.criteria import (
    CRITERIA,
    YES_OR_NO,
    check_asked,
    parse_conditions,
    parse_preference,
)
from ace_core.measure.fit import JUDGES, judge, ranked, ranking_lines
from ace_core.measure.key import RELATIONS, Key, key_number, relation
from ace_core.measure.levels import Levels
from ace_core.measure.measurement import Measurement, measure
from ace_core.measure.meter import Meter
from ace_core.measure.tempo import Tempo
from ace_core.types import Song
from tools.measure.pieces import RATE, SECONDS, pieces, render

ASKED = Song(lyrics="la", seconds=20.0, bpm=128, key="Bb minor", time_signature=4)
LEVELS = Levels(-14.0, -1.0, 0, 0.0, 0.0, 0.0, 0.0, False)
KEPT = Measurement(
    seconds=20.0,
    tempo=Tempo(128.3, (), 0.9, None),
    meter=Meter(4, (), 0.5),
    key=Key("A# minor", "C# major", 0.1, 0.0),
    levels=LEVELS,
)
EVERYTHING = dict.fromkeys(CRITERIA, 1.0)


def verdict(criterion: str, found: Measurement = KEPT, song: Song = ASKED):
    (only,) = judge({criterion: 1.0}, song, found).verdicts
    return only


def with_tempo(bpm: float) -> Measurement:
    return replace(KEPT, tempo=Tempo(bpm, (), 0.9, None))


def with_key(name: str) -> Measurement:
    return replace(KEPT, key=Key(name, name, 0.1, 0.0))


def test_every_key_of_a_song_is_one_of_the_measured_keys():
    assert set(key.KEYS) <= set(constants.KEYS)
    numbers = {name: key_number(name) for name in constants.KEYS}
    assert set(numbers.values()) == set(range(24))
    assert all(
        number == key.KEYS.index(name) for name, number in numbers.items() if name in key.KEYS
    )
    for pair in (("Bb minor", "A♯ minor"), ("C♭ major", "B major"), ("E# minor", "F minor")):
        assert numbers[pair[0]] == numbers[pair[1]]


@pytest.mark.parametrize(
    ("asked", "found", "related"),
    [
        ("Bb minor", "A# minor", "the same"),
        ("C major", "G major", "a fifth apart"),
        ("C major", "F major", "a fifth apart"),
        ("C major", "A minor", "relative"),
        ("A minor", "C major", "relative"),
        ("Eb major", "D# minor", "parallel"),
        ("C major", "D major", "unrelated"),
        ("C major", "D minor", "unrelated"),
    ],
)
def test_related_keys_have_the_scores_of_mirex(asked: str, found: str, related: str):
    assert relation(asked, found) == related
    song = replace(ASKED, key=asked)
    judged = verdict("key", with_key(found), song)
    assert judged.score == RELATIONS[related]
    assert judged.fits == (related == "the same")
    assert asked in judged.reason


@pytest.mark.parametrize(
    ("bpm", "score", "octave_score", "words"),
    [
        (128.3, 1.0, 1.0, "128.3 BPM of 128 asked"),
        (128 * 1.0399, 1.0, 1.0, "of 128 asked"),
        (64.1, 0.5, 1.0, "half the 128 asked"),
        (256.0, 0.5, 1.0, "twice the 128 asked"),
        (42.7, 0.5, 1.0, "a third of the 128 asked"),
        (128 * 1.12, 0.25, 0.25, "+12% off the 128 asked"),
        (100.0, 0.0, 0.0, "-22% off the 128 asked"),
    ],
)
def test_a_tempo_is_within_4_percent_or_an_octave_off_or_wrong(
    bpm: float, score: float, octave_score: float, words: str
):
    strict, loose = (verdict(name, with_tempo(bpm)) for name in ("tempo", "tempo_or_octave"))
    assert words in strict.reason
    assert strict.score == pytest.approx(score)
    assert loose.score == pytest.approx(octave_score)
    assert (strict.fits, loose.fits) == (score == 1, octave_score == 1)


def test_a_meter_of_two_quarters_is_not_told_apart_from_four():
    assert verdict("meter").fits
    assert not verdict("meter", song=replace(ASKED, time_signature=3)).fits
    two = verdict("meter", song=replace(ASKED, time_signature=2))
    assert two.fits
    assert "not told apart" in two.reason


def test_the_length_is_that_of_the_sound():
    assert verdict("length").fits
    silent = replace(KEPT, levels=replace(LEVELS, silence_after=5.0))
    assert verdict("length", silent).reason == "15.0 s of 20 s asked"
    assert verdict("length", silent).score == pytest.approx(0.75)
    assert not verdict("length", silent).fits


@pytest.mark.parametrize(
    ("criterion", "changes", "words"),
    [
        ("clipping", {"clipped": 7}, "7 samples clip"),
        ("ending", {"cut_off": True}, "the end is cut off"),
        ("ending", {"loudness": None}, "silent"),
    ],
)
def test_faults_of_the_sound_do_not_fit(criterion: str, changes: dict, words: str):
    assert verdict(criterion).fits
    judged = verdict(criterion, replace(KEPT, levels=replace(LEVELS, **changes)))
    assert (judged.score, judged.fits) == (0.0, False)
    assert words in judged.reason


def test_what_cannot_be_measured_fits_nothing():
    silence = measure(torch.zeros(2, 5 * RATE), RATE)
    for criterion in ("tempo", "tempo_or_octave", "key", "meter", "ending"):
        assert (verdict(criterion, silence).score, verdict(criterion, silence).fits) == (0.0, False)


def test_the_score_of_a_take_is_the_mean_by_weight():
    weights = parse_preference("tempo:3, key, lyrics")
    fit = judge(weights, ASKED, with_tempo(64.0), {"lyrics": 0.25, "quality": 0.9})
    assert fit.score == pytest.approx((3 * 0.5 + 1 + 0.25) / 5)
    assert not fit.fits
    assert judge(weights, ASKED, KEPT, {"lyrics": 0.0}).fits  # a score has no limit
    assert fit.to_dict()["criteria"]["key"]["reason"] == "Bb minor as asked"


def test_takes_are_ranked_and_each_has_its_reasons():
    fits = [judge(parse_preference("tempo,key"), ASKED, take) for take in TAKES]
    assert ranked([fit.score for fit in fits]) == [1, 2, 0]
    lines = ranking_lines([(fit.score, fit.text()) for fit in fits], ["seed 5", "seed 6", "seed 7"])
    assert lines[0] == "1. seed 6: 1.0000; 128.3 BPM of 128 asked; Bb minor as asked"
    assert lines[1].startswith("2. seed 7: 0.7500; 64.0 BPM, half the 128 asked;")
    assert lines[2].endswith("D minor, unrelated to the Bb minor asked")


TAKES = (with_key("D minor"), KEPT, with_tempo(64.0))


def test_of_equal_takes_the_earlier_is_first():
    assert ranked([0.5, 0.7, 0.5, 0.7]) == [1, 3, 0, 2]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "names no criterion"),
        (" , ", "names no criterion"),
        ("bpm", "names 'bpm'. Choose from tempo"),
        ("tempo, tempo:2", "names tempo twice"),
        ("tempo:x", "'tempo:x'"),
        ("tempo:", "A weight is a number"),
        ("tempo:nan", "A weight is a number"),
        ("tempo:0", "A weight is a number"),
        ("tempo:1000", "A weight is a number"),
    ],
)
def test_a_preference_that_is_none_is_refused(text: str, words: str):
    with pytest.raises(InvalidRequestError, match="`prefer`") as error:
        parse_preference(text)
    assert words in str(error.value)


def test_conditions_are_what_a_take_keeps_or_not():
    assert tuple(parse_conditions("tempo, ending")) == ("tempo", "ending")
    with pytest.raises(InvalidRequestError, match="`until` names quality, a score without"):
        parse_conditions("tempo, quality")
    with pytest.raises(InvalidRequestError, match="Leave the weights out"):
        parse_conditions("tempo:2")
    assert set(YES_OR_NO) == set(JUDGES)


@pytest.mark.parametrize(
    ("criterion", "open_field"),
    [
        ("tempo", "bpm"),
        ("tempo_or_octave", "bpm"),
        ("key", "key"),
        ("meter", "time_signature"),
        ("length", "seconds"),
    ],
)
def test_what_the_song_leaves_open_cannot_be_compared(criterion: str, open_field: str):
    check_asked(EVERYTHING, ASKED, "prefer")
    with pytest.raises(InvalidRequestError, match=f"`prefer` names {criterion}, but the song asks"):
        check_asked({criterion: 1.0}, replace(ASKED, **{open_field: None}), "prefer")


def test_a_tempo_beyond_the_measured_ones_is_refused():
    with pytest.raises(InvalidRequestError, match="250 BPM is outside the 40 to 240"):
        check_asked({"tempo": 1.0}, replace(ASKED, bpm=250), "until")
    check_asked({"tempo_or_octave": 1.0}, replace(ASKED, bpm=250), "until")


def test_singing_needs_a_singer():
    with pytest.raises(InvalidRequestError, match="nobody sings"):
        check_asked({"lyrics": 1.0}, replace(ASKED, lyrics=""), "prefer")


@pytest.mark.parametrize("number", [0, 3])
def test_a_rendered_piece_keeps_its_own_key_and_tempo_and_no_other(number: int):
    piece = pieces()[number]
    found = measure(render(piece), RATE)
    song = Song(bpm=round(piece.bpm), key=piece.key, seconds=SECONDS, time_signature=piece.meter)
    weights = parse_conditions("tempo_or_octave, key, clipping")
    assert judge(weights, song, found).fits, judge(weights, song, found).text()
    other = replace(song, bpm=round(piece.bpm * 1.3), key=key.KEYS[(piece.tonic + 2) % 12])
    assert judge(weights, other, found).score == pytest.approx(1 / 3)
