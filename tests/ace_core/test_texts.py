"""Texts from outside: what is refused, what names become of them, and how they are quoted."""

from pathlib import Path

import pytest

from ace_core.errors import InvalidRequestError, InvalidSongError
from ace_core.inference import GenerationConfig, GenerationParams
from ace_core.inference.limits import check_params
from ace_core.texts import NAME_BYTES, distinct, file_name, home_path, name_fault, shown, text_fault
from ace_core.types import Song, Variant

BAD = {"calm \ud83c": "half a character (U+D83C) at character 6", "a\0": "zero byte at character 2"}


@pytest.mark.parametrize("text", ["", "späť 🎹\n\t", "\u2028\ufeff", "a" * 9999])
def test_a_text_that_utf8_holds_has_no_fault(text: str):
    assert text_fault(text) is None


@pytest.mark.parametrize("text", BAD)
@pytest.mark.parametrize("field", ["caption", "lyrics"])
def test_a_song_refuses_what_no_model_can_read(text: str, field: str):
    with pytest.raises(InvalidSongError) as refused:
        Song(**{field: text})
    assert BAD[text] in str(refused.value) and field in str(refused.value)


@pytest.mark.parametrize("text", BAD)
@pytest.mark.parametrize(
    "field",
    [name for name, value in vars(GenerationParams()).items() if isinstance(value, str)],
)
def test_every_text_of_a_request_is_checked(text: str, field: str):
    with pytest.raises(InvalidRequestError) as refused:
        check_params(GenerationParams(**{field: text}), GenerationConfig(), Variant.TURBO)
    assert f"`{field}` has" in str(refused.value) and BAD[text] in str(refused.value)


@pytest.mark.parametrize(
    ("name", "fault"),
    [
        ("CON", "device"),
        ("con.flac", "device"),
        ("LPT1 .x", "device"),
        ("CONIN$", "device"),
        ("a.", "dot or a space"),
        ("a ", "dot or a space"),
        *((f"a{each}b", f"has {each}") for each in ':?*<>"|'),
        ("a\x1fb", r"has \x1f"),
        ("a\0b", "zero byte"),
        ("\udc80", "half a character"),
        ("é" * NAME_BYTES, "400 bytes"),
    ],
)
def test_a_name_that_some_system_refuses_has_a_fault(name: str, fault: str):
    assert fault in str(name_fault(name))
    assert name_fault(file_name(name)) is None


@pytest.mark.parametrize("name", ["a", "CONSOLE", "a.b c", "späť 🎹", ".hidden", "%date%"])
def test_other_names_have_none(name: str):
    assert name_fault(name) is None


@pytest.mark.parametrize(
    ("names", "found"),
    [
        (["lead_vocal", "lead_vocal"], ["lead_vocal", "lead_vocal_2"]),
        (["Bass", "bass", "BASS"], ["Bass", "bass_2", "BASS_3"]),
        (["a", "a", "a_2"], ["a", "a_3", "a_2"]),
        (["é", "e\u0301"], ["é", "e\u0301_2"]),
        (["a", "b"], ["a", "b"]),
    ],
)
def test_names_that_some_system_holds_for_one_get_numbers(names: list[str], found: list[str]):
    assert distinct(names) == found


def test_a_long_or_wild_text_is_quoted_on_one_short_line():
    assert shown("a\n\ud83c\0") == r"a\n\ud83c\x00"
    assert len(shown("x" * 10_000)) <= 200
    assert shown("x" * 200) == "x" * 200


def test_a_home_is_put_in_where_it_is_known():
    assert home_path("~/x") == Path.home() / "x"
    assert home_path("~nosuch/x") == Path("~nosuch/x")
    assert home_path("a/~") == Path("a/~")
