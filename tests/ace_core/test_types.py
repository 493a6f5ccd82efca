"""A song is checked where it is born, and says what it accepts."""

import logging
import math

import pytest

from ace_core.constants import BPM_RANGE, KEYS, LANGUAGES, TIME_SIGNATURES
from ace_core.errors import InvalidCodesError, InvalidSongError
from ace_core.types import AudioCodes, Song, parse_key


@pytest.mark.parametrize("seconds", [0.0, -1.0, 9.99, 601.0, math.nan, math.inf])
def test_a_length_outside_the_range_is_refused_with_the_range(seconds: float):
    with pytest.raises(InvalidSongError, match="10 to 600 seconds"):
        Song("piano", seconds=seconds)


@pytest.mark.parametrize("bpm", [29, 301, 0, -5])
def test_a_tempo_outside_the_range_is_refused_with_the_range(bpm: int):
    with pytest.raises(InvalidSongError, match=f"{bpm} BPM is outside 30 to 300"):
        Song("piano", bpm=bpm)


def test_the_ends_of_every_range_are_accepted():
    for bpm in BPM_RANGE:
        assert Song("x", bpm=bpm).bpm == bpm
    for seconds in (10.0, 600.0):
        assert Song("x", seconds=seconds).seconds == seconds


def test_there_are_seventy_keys_and_fifty_one_languages_and_each_is_accepted():
    assert (len(KEYS), len(LANGUAGES), len(TIME_SIGNATURES)) == (70, 51, 4)
    for key in KEYS:
        assert Song("x", key=key).key == key
    for language in LANGUAGES:
        assert Song("x", language=language).language == language


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("key", "H major", "note A to G"),
        ("time_signature", 5, "2, 3, 4 or 6"),
        ("language", "xx", "Choose one of ar"),
    ],
)
def test_an_unknown_musical_word_is_refused_by_name(field: str, value: object, words: str):
    with pytest.raises(InvalidSongError, match=words):
        Song("x", **{field: value})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("written", "key"),
    [
        ("C Major", "C major"),
        ("Am", "A minor"),
        ("f# minor", "F# minor"),
        ("Bb", "Bb major"),
        ("B♭ MINOR", "B♭ minor"),
        ("CM", "C major"),
        ("d min", "D minor"),
    ],
)
def test_a_key_is_read_as_people_write_it(written: str, key: str):
    assert parse_key(written) == key
    assert key in KEYS


@pytest.mark.parametrize("written", ["", "H", "C dorian", "A mm", "Cmajorish"])
def test_what_is_no_key_is_refused(written: str):
    with pytest.raises(InvalidSongError, match="is not a key"):
        parse_key(written)


@pytest.mark.parametrize("lyrics", ["", "  ", "[inst]", "[Instrumental]", "[INSTRUMENTAL] "])
def test_every_spelling_of_nobody_sings_is_instrumental(lyrics: str):
    assert Song("x", lyrics).instrumental
    assert not Song("x", "la la").instrumental


def test_a_text_longer_than_the_trained_limit_is_kept_and_warned_of(caplog):
    with caplog.at_level(logging.WARNING):
        song = Song("c" * 513, "l" * 4097)
    assert (len(song.caption), len(song.lyrics)) == (513, 4097)
    assert [r.getMessage().split(" has ")[0] for r in caplog.records] == [
        "The caption",
        "The lyrics",
    ]


def test_a_code_outside_the_codebook_is_refused_with_its_place():
    assert AudioCodes((0, 63_999)).seconds == pytest.approx(0.4)
    for bad in (64_000, -1):
        with pytest.raises(InvalidCodesError, match=f"Code {bad} at index 1"):
            AudioCodes((5, bad))
