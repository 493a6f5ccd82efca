"""Lyrics to tokens, lines and words, and the formats they are written in."""

import pytest

from ace_core.alignment.lyric_tokens import LyricTokens, lyric_tokens
from ace_core.alignment.timed_lyrics import TimedLine, TimedWord, karaoke, lrc, srt, timed_lines
from ace_core.alignment.timestamps import Span
from ace_core.errors import InvalidRequestError
from ace_core.types import Song
from tests.parity import ours


def tokens_of(lyrics: str) -> LyricTokens:
    """One token per byte."""
    return lyric_tokens(ours.text_encoder().tokenizer, Song("", lyrics, language="en"))


def timed(lyrics: str) -> tuple[TimedLine, ...]:
    """Every byte takes a tenth of a second."""
    tokens = tokens_of(lyrics)
    spans = [Span(index / 10, (index + 1) / 10) for index in range(len(tokens.texts))]
    return timed_lines(tokens, spans)


def test_the_lyrics_lie_after_their_heading_and_before_the_end() -> None:
    tokens = tokens_of("la\nla")
    assert tokens.start == len("# Languages\nen\n\n# Lyric\n")
    assert "".join(tokens.texts) == "la\nla"
    assert (
        tokens.prompt_length == tokens.positions.stop + 2
    )  # the template's end and the tokenizer's


def test_a_character_belongs_to_the_token_that_completes_it() -> None:
    assert tokens_of("é🎵!").texts == ("", "é", "", "", "", "🎵", "!")


def test_tags_are_not_sung() -> None:
    assert tokens_of("[A]\nla").sung == (False, False, False, True, True, True)


@pytest.mark.parametrize("lyrics", ["", "[Instrumental]", "[inst]"])
def test_a_song_without_lyrics_is_refused(lyrics: str) -> None:
    with pytest.raises(InvalidRequestError, match="no lyrics"):
        tokens_of(lyrics)


def test_lyrics_of_tags_alone_are_refused() -> None:
    with pytest.raises(InvalidRequestError, match="tags only"):
        tokens_of("[Verse][Chorus]")


def test_lines_are_those_of_the_lyrics_without_the_blank_ones() -> None:
    first, second, third = timed("[Intro]\n\n  hey you\nbye")
    assert (first.text, first.sung, first.start) == ("[Intro]", False, 0.0)
    assert (second.text, second.sung, second.start, second.end) == ("hey you", True, 0.9, 1.9)
    assert (third.text, third.start, third.end) == ("bye", 1.9, 2.2)


def test_words_are_timed_by_their_own_letters() -> None:
    (line,) = timed("hey, you")
    assert line.words == (TimedWord("hey,", 0.0, 0.4), TimedWord("you", 0.5, 0.8))


def test_where_nothing_is_spaced_each_character_is_a_word() -> None:
    (line,) = timed("雨が降る、 ok")
    assert [word.text for word in line.words] == ["雨", "が", "降", "る、", "ok"]
    assert line.words[1].start == pytest.approx(0.5)  # the token that completes it
    assert line.words[1].end == pytest.approx(0.6)


def test_right_to_left_lyrics_keep_their_order() -> None:
    (line,) = timed("שלום עולם")
    assert [word.text for word in line.words] == ["שלום", "עולם"]


LINES = (
    TimedLine(
        "one two",
        59.999,
        61.0,
        (TimedWord("one", 59.999, 60.4), TimedWord("two", 60.5, 61.0)),
        True,
    ),
    TimedLine("three", 3600.25, 3600.25, (TimedWord("three", 3600.25, 3600.25),), True),
)


def test_lrc_carries_rounded_seconds_into_the_minute() -> None:
    assert lrc(LINES) == "[01:00.00]one two\n[60:00.25]three"


def test_karaoke_has_a_time_for_every_word_and_one_after_the_last() -> None:
    first, second = karaoke(LINES).split("\n")
    assert first == "[01:00.00]<01:00.00>one <01:00.50>two <01:01.00>"
    assert second == "[60:00.25]<60:00.25>three <60:00.25>"


def test_subtitles_are_numbered_and_none_lasts_no_time() -> None:
    assert srt(LINES) == (
        "1\n00:00:59,999 --> 00:01:01,000\none two\n\n2\n01:00:00,250 --> 01:00:01,250\nthree\n"
    )


def test_no_lines_are_an_empty_text() -> None:
    assert (lrc(()), karaoke(()), srt(())) == ("", "", "")
