"""Audio codes as text and as material."""

import pytest

from ace_core.errors import InvalidCodesError
from ace_core.lm.codes import (
    bar_seconds,
    join_codes,
    read_codes,
    repeat_codes,
    slice_bars,
    slice_codes,
    slice_nearest,
    write_codes,
)
from ace_core.types import AudioCodes

COUNT = AudioCodes(tuple(range(100)))  # 20 seconds


@pytest.mark.parametrize(
    "text",
    [
        "<|audio_code_1|><|audio_code_20|><|audio_code_63999|>",
        " <|audio_code_1|>,\n<|audio_code_20|> <|audio_code_63999|><|im_end|>\n",
        "1,20,63999",
        "[1, 20, 63999]",
        "1 20\n63999;",
    ],
)
def test_codes_are_read_from_tokens_and_from_numbers(text):
    assert read_codes(text).values == (1, 20, 63_999)


def test_what_is_written_is_parsed_back():
    assert write_codes(AudioCodes((0, 63_999))) == "<|audio_code_0|><|audio_code_63999|>"
    assert read_codes(write_codes(COUNT)) == COUNT


@pytest.mark.parametrize("text", ["", "  \n", "[]", "<|im_end|>"])
def test_a_text_without_codes_is_refused(text):
    with pytest.raises(InvalidCodesError, match="no audio codes in this text"):
        read_codes(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("<|audio_code_64000|>", "Code 64000 at index 0"),
        ("1, 64000", "Code 64000 at index 1"),
        ("5, -1", "Code -1 at index 1"),
        ("<|audio_code_65534|>", "Code 65534"),
    ],
)
def test_a_code_out_of_range_is_refused_by_name(text, named):
    with pytest.raises(InvalidCodesError, match=named):
        read_codes(text)


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("hello", "'hello'"),
        ("1, two, 3", "'two'"),
        ("1.5, 2", r"'1\.5'"),
        ("<|audio_code_1|> and <|audio_code_2|>", "'and'"),
        ("<|audio_code_x|>", r"'<\|audio_code_x\|>'"),
        ("12abc", "'12abc'"),
        ("1-2", "'1-2'"),
    ],
)
def test_anything_else_is_refused_by_name(text, named):
    with pytest.raises(InvalidCodesError, match=rf"{named} is no audio code"):
        read_codes(text)


def test_a_slice_in_seconds_holds_five_codes_per_second():
    assert slice_codes(COUNT, 2, 4).values == tuple(range(10, 20))
    assert slice_codes(COUNT, 0, 20) == COUNT
    assert slice_codes(COUNT, 0.19, 0.41).values == (0, 1)


@pytest.mark.parametrize(("begin", "end"), [(4, 4), (5, 4), (0, 20.2), (-1, 2), (4, 4.1)])
def test_a_slice_outside_the_codes_or_without_one_is_refused(begin, end):
    with pytest.raises(InvalidCodesError, match="100 codes, which play 20 seconds"):
        slice_codes(COUNT, begin, end)


def test_bars_are_counted_from_one():
    assert bar_seconds(120, 4) == 2
    assert bar_seconds(60, 6) == 3
    assert slice_bars(COUNT, 1, 1, 120, 4).values == tuple(range(10))
    assert slice_bars(COUNT, 3, 2, 120, 4).values == tuple(range(20, 40))
    assert slice_bars(COUNT, 2, 1, 60, 3).values == tuple(range(15, 30))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((0, 1, 120, 4), "counted from 1"),
        ((1, 0, 120, 4), "at least 1"),
        ((11, 1, 120, 4), "no piece from 20 to 22 seconds"),
        ((1, 1, 10, 4), "10 BPM in time signature 4"),
        ((1, 1, 120, 5), "one of 2, 3, 4, 6"),
    ],
)
def test_bars_that_are_not_there_are_refused(arguments, message):
    with pytest.raises(InvalidCodesError, match=message):
        slice_bars(COUNT, *arguments)


def test_pieces_are_joined_in_order_and_repeated():
    first, second = AudioCodes((1, 2)), AudioCodes((3,))
    assert join_codes([second, first, second]).values == (3, 1, 2, 3)
    assert repeat_codes(first, 3).values == (1, 2, 1, 2, 1, 2)


def test_nothing_to_join_and_no_repetition_are_refused():
    with pytest.raises(InvalidCodesError, match="no audio codes to join"):
        join_codes([])
    with pytest.raises(InvalidCodesError, match="repeated 0 times"):
        repeat_codes(COUNT, 0)


@pytest.mark.parametrize(
    ("span", "first", "count"),
    [((0.0, 2.0), 0, 10), ((0.29, 2.29), 1, 10), ((0.31, 2.29), 2, 10), ((1.09, 4.11), 5, 15)],
)
def test_the_nearest_codes_are_as_many_as_the_span_is_long(
    span: tuple[float, float], first: int, count: int
):
    piece = slice_nearest(AudioCodes(tuple(range(100))), span)
    assert piece.values == tuple(range(first, first + count))


def test_a_span_that_ends_with_the_codes_has_no_code_beyond_them():
    codes = AudioCodes(tuple(range(10)))  # 2 seconds
    assert slice_nearest(codes, (0.11, 2.03)).values == tuple(range(1, 10))  # 9.6 codes long
    with pytest.raises(InvalidCodesError, match=r"0\.50 to 2\.40 seconds in 10 codes"):
        slice_nearest(codes, (0.5, 2.4))


@pytest.mark.parametrize("span", [(-0.5, 1.0), (1.0, 1.04), (1.0, 0.5), (5.0, 6.0)])
def test_a_span_that_no_codes_are_in_is_refused(span: tuple[float, float]):
    with pytest.raises(InvalidCodesError, match="Measure the recording"):
        slice_nearest(AudioCodes(tuple(range(10))), span)
