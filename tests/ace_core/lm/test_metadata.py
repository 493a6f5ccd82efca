"""The metadata block: written byte for byte, read with forgiveness."""

import pytest
import yaml

from ace_core.lm.metadata import Metadata, parse_lyrics, parse_parts, parse_reply, think_block
from ace_core.types import Song


def block(**fields) -> str:
    text = think_block(Metadata(**fields))
    assert text.startswith("<think>\n") and text.endswith("\n</think>")
    return text[len("<think>\n") : -len("\n</think>")]


def test_fields_stand_in_the_order_of_their_names():
    everything = Metadata(
        bpm=120,
        caption="A song",
        seconds=30,
        genres="pop",
        key="F# minor",
        language="en",
        time_signature=4,
    )
    assert think_block(everything) == (
        "<think>\nbpm: 120\ncaption: A song\nduration: 30\nkeyscale: F# minor\nlanguage: en\n"
        "timesignature: 4\n</think>"
    )


def test_a_block_of_nothing_has_two_newlines():
    assert think_block(Metadata()) == "<think>\n\n</think>"


@pytest.mark.parametrize(
    ("caption", "written"),
    [
        ("Ballade für Klavier ♯", "caption: Ballade für Klavier ♯"),
        ("style: jazz", "caption: 'style: jazz'"),
        ("- drums", "caption: '- drums'"),
        ("# loud", "caption: '# loud'"),
        ('it\'s "fine"', 'caption: it\'s "fine"'),
        ("808", "caption: 808"),
        ("²", "caption: ²"),
        ("one\ntwo", "caption: 'one\n\n  two'"),
        ("yes", "caption: 'yes'"),
    ],
)
def test_captions_are_quoted_as_yaml_quotes_them(caption, written):
    assert block(caption=caption) == written


def test_long_captions_wrap_after_eighty_columns_with_two_spaces():
    words = "abcdefghi " * 20
    lines = block(caption=words.strip()).split("\n")
    assert len(lines) > 1
    assert all(line.startswith("  abc") for line in lines[1:])
    assert all(80 < len(line) <= 92 for line in lines[:-1])


def test_norwegian_is_quoted_because_yaml_takes_it_for_a_boolean():
    assert block(language="no") == "language: 'no'"


def test_a_song_gives_its_metadata_in_whole_seconds():
    song = Song("x", "y", seconds=30.7, bpm=90, key="C major", time_signature=3, language="de")
    assert block(bpm=90, seconds=30, key="C major", language="de", time_signature=3) == (
        "bpm: 90\nduration: 30\nkeyscale: C major\nlanguage: de\ntimesignature: 3"
    )
    assert Metadata.of(song) == Metadata(
        bpm=90, seconds=30, key="C major", language="de", time_signature=3
    )


WHOLE = Metadata(
    bpm=120,
    caption="A calm song with piano",
    seconds=30,
    genres="pop",
    key="F# minor",
    language="en",
    time_signature=4,
)


@pytest.mark.parametrize(
    "text",
    [
        "<think>\nbpm: 120\ncaption: A calm song\n  with piano\nduration: 30\ngenres: pop\n"
        "keyscale: F# minor\nlanguage: en\ntimesignature: 4\n</think>\n\n# Lyric\nla\nla<|im_end|>",
        "bpm: '120'\ncaption: 'A calm song\n\n  \n  with piano'\nduration: 30 seconds\n"
        'genres: "pop"\n'
        "keyscale: f# Minor\nlanguage: EN\ntimesignature: 4/4\n</think>\n# Lyrics\nla\nla",
        "<reasoning>\nBPM: 120.0\nCaption:\n  A calm song\n\twith piano\nDuration: 30s\n"
        "genres: pop\n"
        "keyscale: F#m\nlanguage: en\ntimesignature: '4'\n</reasoning>\nla\nla<|endoftext|>\n",
        "<think>bpm: 120\r\ncaption: A calm song with piano\r\nduration: 30\r\ngenres: pop\r\n"
        "keyscale: F# minor\r\nlanguage: en\r\ntimesignature: 4\r\n</think># Lyric\nla\nla",
    ],
)
def test_replies_are_parsed_in_every_format_of_the_models(text):
    reply = parse_reply(text)
    expected = {f: getattr(WHOLE, f) for f in ("bpm", "seconds", "genres", "key", "language")}
    assert {f: getattr(reply.metadata, f) for f in expected} == expected
    assert reply.metadata.time_signature == 4
    assert reply.metadata.caption is not None
    assert reply.metadata.caption.split() == ["A", "calm", "song", "with", "piano"]
    assert reply.lyrics == "la\nla"
    assert reply.warnings == ()


def test_a_block_without_a_closing_tag_is_parsed_and_has_no_lyrics():
    reply = parse_reply("<think>\nbpm: 120\ncaption: A\n  b\ntimesignature: 3<|im_end|>")
    assert reply.metadata == Metadata(bpm=120, caption="A b", time_signature=3)
    assert reply.lyrics == ""


def test_a_block_ends_where_audio_codes_begin():
    reply = parse_reply("bpm: 100\nlanguage: de\n<|audio_code_5|>\nkeyscale: C major")
    assert reply.metadata == Metadata(bpm=100, language="de")


@pytest.mark.parametrize("nothing", ["", "N/A", "n/a", "''"])
def test_empty_values_are_none_without_a_warning(nothing):
    names = ("bpm", "duration", "keyscale", "language", "timesignature")
    reply = parse_reply("".join(f"{name}: {nothing}\n" for name in names))
    assert reply.metadata == Metadata()
    assert reply.warnings == ()


@pytest.mark.parametrize(
    ("line", "complaint"),
    [
        ("bpm: fast", "bpm: 'fast' is not one"),
        ("bpm: 5", "bpm: '5' is not one"),
        ("duration: 9000", "duration: '9000' is not one"),
        ("keyscale: H major", "keyscale: 'H major' is not one"),
        ("language: tlh", "language: 'tlh' is not one"),
        ("timesignature: 5/4", "timesignature: '5/4' is not one"),
        ("timesignature: four", "timesignature: 'four' is not one"),
        ("mood: sad", "mood: not a field of the models"),
    ],
)
def test_values_that_cannot_be_parsed_are_named(line, complaint):
    reply = parse_reply(f"{line}\n")
    assert reply.metadata == Metadata()
    assert reply.warnings == (complaint,)


@pytest.mark.parametrize("text", ["", "no fields here", "<think>\n</think>", "�" * 50])
def test_a_reply_without_a_block_has_a_warning(text):
    assert parse_reply(text).warnings == ("no metadata was written",)


def test_what_goes_on_behind_a_quote_is_text_and_not_looked_at(monkeypatch):
    """YAML would look at each bracket once for every bracket before it."""
    looked = 0
    fetch = yaml.scanner.Scanner.fetch_more_tokens

    def counted(self):
        nonlocal looked
        looked += 1
        fetch(self)

    monkeypatch.setattr(yaml.scanner.Scanner, "fetch_more_tokens", counted)
    text = '"a": ' + "[" * 5_000 + '"'
    assert parse_reply(f"<think>\ncaption: {text}\n</think>").metadata.caption == text
    assert looked < 10


def test_a_quote_that_is_part_of_the_text_stays():
    reply = parse_reply("caption: 'Tis the season\nbpm: 90\n")
    assert reply.metadata.caption == "'Tis the season"
    assert parse_reply("caption: 'a' and 'b'\n").metadata.caption == "'a' and 'b'"


@pytest.mark.parametrize(
    "caption", ["plain", 'it\'s: "so"', "- 'dash'", "# x", "line\nbreak", "word " * 60, "no"]
)
def test_what_is_written_is_parsed_back(caption):
    metadata = Metadata(90, caption.strip(), 30, None, "Bb minor", "no", 6)
    assert parse_reply(think_block(metadata)).metadata == metadata


@pytest.mark.parametrize(
    "text",
    [
        "la",
        "\n\n# Lyric\nla\n",
        "# lyrics \nla<|im_end|>",
        "#Lyrics\nla",
        "# Languages\nen\n\n# Lyric\nla\n<|endoftext|>",
    ],
)
def test_lyrics_lose_their_headings_and_end_tokens(text):
    assert parse_lyrics(text) == "la"


def test_a_heading_of_another_kind_is_part_of_the_lyrics():
    assert parse_lyrics("# Lyrical thoughts\nla") == "# Lyrical thoughts\nla"


def test_a_closing_tag_spelled_as_text_does_not_end_a_block():
    text = "<think>\nbpm: 90\ncaption: a </think> b\nduration: 20\n"
    reply = parse_parts(text, "la")
    assert reply.metadata == Metadata(bpm=90, caption="a </think> b", seconds=20)
    assert reply.lyrics == "la"


def test_control_characters_are_removed_with_a_warning():
    reply = parse_parts("<think>\nbpm: 90\ncaption: a\x00b\x1b\tc\n", "la\x7f\nlo")
    assert (reply.metadata.caption, reply.lyrics) == ("ab\tc", "la\nlo")
    assert reply.warnings == ("control characters, which were left out",)
    assert parse_parts("caption: a\tb\n", "é\nla").warnings == ()
