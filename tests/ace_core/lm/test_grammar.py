"""Allowed tokens: walked token by token, by tables and at random."""

import random

import pytest

from ace_core.constants import KEYS, LANGUAGES, TIME_SIGNATURES
from ace_core.lm.grammar import Codes, Literal, walk
from ace_core.lm.metadata import Metadata, parse_parts, parse_reply, think_block
from ace_core.lm.metadata_grammar import CAPTION_TOKENS, GENRE_TOKENS, MetadataGrammar

WHOLE = (
    "<think>\nbpm: 120\ncaption: A calm song.\n  With piano\nduration: 30\ngenres: pop\n"
    "keyscale: F# minor\nlanguage: en\ntimesignature: 4\n"
)


@pytest.fixture(scope="module")
def grammar(vocabulary):
    return MetadataGrammar(vocabulary)


@pytest.fixture(scope="module")
def qwen_grammar(qwen):
    return MetadataGrammar(qwen)


NOTHING = Metadata()


def accepts(grammar: MetadataGrammar, text: str, given: Metadata = NOTHING, skip=()) -> bool:
    """Whether `text` is one whole block."""
    try:
        return walk(grammar.block(given, skip), grammar.vocabulary.encode(text)) is None
    except ValueError:
        return False


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("120", "30"),
        ("120", "300"),
        ("30\ngenres", "10\ngenres"),
        ("30\ngenres", "600\ngenres"),
        *[("F# minor", key) for key in KEYS],
        *[("language: en", f"language: {language}") for language in LANGUAGES],
        *[("signature: 4", f"signature: {numerator}") for numerator in TIME_SIGNATURES],
        ("A calm song.\n  With piano", "x"),
        ("A calm song.\n  With piano", "a\n\tb\n  c: d\n e"),
        ("genres: pop", "genres: synth pop, jazz"),
    ],
)
def test_a_block_with_legal_values_is_accepted(grammar, old, new):
    assert old in WHOLE
    assert accepts(grammar, WHOLE.replace(old, new))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("bpm: 120\n", ""),
        ("120", "29"),
        ("120", "301"),
        ("120", "012"),
        ("120", "abc"),
        ("bpm: 120", "bpm:120"),
        ("30\ngenres", "9\ngenres"),
        ("30\ngenres", "601\ngenres"),
        ("F# minor", "H minor"),
        ("F# minor", "F# Minor"),
        ("F# minor", "F#"),
        ("language: en", "language: eng"),
        ("language: en", "language: xx"),
        ("signature: 4", "signature: 5"),
        ("signature: 4", "signature: 4/4"),
        ("A calm song.\n  With piano", ""),
        ("A calm song.\n  With piano", "`"),
        ("A calm song.\n  With piano", "a<|im_end|>"),
        ("A calm song.\n  With piano", "a<|audio_code_5|>"),
        ("A calm song.\n  With piano", "a\nWith piano"),
        ("A calm song.\n  With piano", "a\r"),
        (" A calm song.\n  With piano", "\n  a"),
        ("genres: pop\n", ""),
        ("genres: pop", "genres: "),
        ("genres: pop", "genres: a\n  b"),
        ("keyscale: F# minor\nlanguage: en", "language: en\nkeyscale: F# minor"),
        ("<think>\n", ""),
        ("signature: 4\n", "signature: 4\n</think>"),
    ],
)
def test_a_block_with_an_illegal_value_is_refused(grammar, old, new):
    assert old in WHOLE
    assert not accepts(grammar, WHOLE.replace(old, new))


def test_skipped_fields_are_not_written(grammar):
    text = "<think>\nbpm: 90\nduration: 30\nkeyscale: C major\ntimesignature: 3\n"
    skip = ("caption", "genres", "language")
    assert accepts(grammar, text, skip=skip)
    assert not accepts(grammar, text)
    assert not accepts(grammar, WHOLE, skip=skip)


def test_given_values_are_the_only_ones_that_may_be_written(grammar):
    given = Metadata(bpm=120, seconds=30, key="F# minor", language="en", time_signature=4)
    assert accepts(grammar, WHOLE, given)
    for old, new in [("120", "121"), ("30\n", "31\n"), ("F#", "G"), (" en", " de"), (": 4", ": 3")]:
        assert not accepts(grammar, WHOLE.replace(old, new, 1), given)


def test_the_mask_is_right_at_every_step_of_a_block(grammar):
    """Every step of a walk against sets written by hand; `...` is any text but a newline."""
    walked = [
        *(("<think>", {"<think>"}), *((letter, {letter}) for letter in "\nbpm: ")),
        *(("1", set("123456789")), ("0", set("0123456789")), ("0", set("0123456789"))),
        *((letter, {letter}) for letter in "\nduration: "),
        *(("6", set("123456789")), ("0", set("0123456789")), ("0", {"\n", *"0"})),
        *((letter, {letter}) for letter in "\nkeyscale: "),
        *(("B", set("ABCDEFG")), ("b", {"#", "b", "\ufffd", " "}), (" ", {" "})),
        *(("m", {"m"}), ("i", {"i", "a"}), *((letter, {letter}) for letter in "nor\n")),
        *((letter, {letter}) for letter in "timesignature: "),
        *(("6", set("2346")), ("\n", {"\n"})),
    ]
    vocabulary = grammar.vocabulary
    state = grammar.block(Metadata(), skip=("caption", "genres", "language"))
    for step, (text, legal) in enumerate(walked):
        assert {vocabulary.decode([i]) for i in state.allowed} == legal, (step, text)
        (token,) = vocabulary.encode(text)
        state = state.advance(token)
    assert state is None


def steps(grammar: MetadataGrammar, text: str, skip=("genres",)) -> list[set[str]]:
    """The legal tokens after `text`, as text."""
    state = walk(grammar.block(Metadata(), skip), grammar.vocabulary.encode(text))
    return {grammar.vocabulary.decode([i]) for i in state.allowed}


def test_numbers_may_end_or_go_on_where_both_are_legal(grammar):
    assert steps(grammar, "<think>\nbpm:") == {" "}
    assert steps(grammar, "<think>\nbpm: ") == set("123456789")
    assert steps(grammar, "<think>\nbpm: 3") == set("0123456789")
    assert steps(grammar, "<think>\nbpm: 30") == {"\n", "0"}
    assert steps(grammar, "<think>\nbpm: 31") == {"\n"}
    assert steps(grammar, "<think>\nbpm: 2") == set("0123456789")
    assert steps(grammar, "<think>\nbpm: 20") == set("0123456789")


def test_a_caption_begins_with_visible_text(grammar):
    head = "<think>\nbpm: 30\ncaption:"
    assert "\n" not in steps(grammar, head) and " " in steps(grammar, head)
    blank = steps(grammar, f"{head} ")
    assert "\n" not in blank and " " not in blank and "a" in blank
    assert {"\n", " ", "a", ":"} <= steps(grammar, f"{head} a")


def test_after_a_newline_a_caption_goes_on_indented_or_the_next_field_begins(grammar):
    assert steps(grammar, "<think>\nbpm: 30\ncaption: a\n") == {" ", "\t", "d"}
    assert steps(grammar, "<think>\nbpm: 30\ncaption: a\nd") == {"u"}
    no_genres_no_language = ("genres", "language")
    head = "<think>\nbpm: 30\ncaption: a\n  b\nduration: 10\nkeyscale: C major\n"
    assert steps(grammar, head, no_genres_no_language) == {"t"}


def test_a_caption_ends_after_its_max_tokens(grammar):
    head = "<think>\nbpm: 30\ncaption:"
    assert "a" in steps(grammar, head + "a" * (CAPTION_TOKENS - 1))
    assert steps(grammar, head + "a" * CAPTION_TOKENS) == {"\n"}
    assert steps(grammar, head + "a" * CAPTION_TOKENS + "\n") == {"d"}
    assert steps(grammar, head + "a" * (CAPTION_TOKENS - 1) + "\n") == {"d"}


def test_genres_end_after_their_max_tokens(grammar):
    head = "<think>\nbpm: 30\ncaption: a\nduration: 10\ngenres:"
    assert {"\n", "b"} <= steps(grammar, f"{head} a", skip=())
    assert steps(grammar, head + "a" * GENRE_TOKENS, skip=()) == {"\n"}


def test_a_reply_goes_on_with_free_text_without_codes_until_the_turn_ends(grammar):
    vocabulary = grammar.vocabulary
    state = walk(grammar.reply(Metadata()), vocabulary.encode(f"{WHOLE}</think>\n# Lyric\nla `x`"))
    assert vocabulary.end in state.allowed
    assert vocabulary.think not in state.allowed
    assert not set(vocabulary.codes) & set(state.allowed)
    assert state.advance(vocabulary.end) is None
    with pytest.raises(ValueError, match="illegal in think"):
        walk(grammar.reply(Metadata()), vocabulary.encode(f"{WHOLE}la"))


def test_the_codes_grammar_allows_exactly_count_usable_codes(grammar):
    vocabulary = grammar.vocabulary
    state = grammar.codes(61)
    for _ in range(61):
        assert state.allowed == vocabulary.codes
        state = state.advance(vocabulary.codes[-1])
    assert state is None
    assert len(vocabulary.codes) == 64_000
    ended = walk(Codes(vocabulary.codes, 2, Literal("end", (vocabulary.end,))), [300, 301])
    assert ended.allowed == {vocabulary.end}


def test_codes_without_a_count_end_with_the_turn(grammar):
    vocabulary = grammar.vocabulary
    state = walk(grammar.codes(None), [vocabulary.codes[0]] * 7)
    assert state.allowed == set(vocabulary.codes) | {vocabulary.end}
    assert state.advance(vocabulary.end) is None


def test_a_state_is_immutable(grammar):
    state = grammar.block(Metadata())
    ids = grammar.vocabulary.encode(WHOLE)
    assert walk(state, ids) is None
    assert walk(state, ids) is None


@pytest.mark.parametrize("seed", range(4))
def test_any_legal_walk_is_a_block_that_parses_with_legal_fields(grammar, seed):
    """1,000 of them in all; values are drawn like captions are, byte by byte."""
    rng = random.Random(seed)
    vocabulary = grammar.vocabulary
    order: dict[object, tuple[list[int], list[int]]] = {}
    ending = {vocabulary.newline, vocabulary.end}
    for _ in range(250):
        given = Metadata(bpm=rng.choice((None, 77)), key=rng.choice((None, "Ab minor")))
        state = grammar.reply(given)
        written = []
        while state is not None:
            if state.allowed not in order:
                order[state.allowed] = sorted(state.allowed), sorted(ending & {*state.allowed})
            legal, ends = order[state.allowed]
            token = ends[0] if ends and rng.random() < 0.05 else rng.choice(legal)
            written.append(token)
            state = state.advance(token)
        cut = written.index(vocabulary.think_end)
        reply = parse_parts(vocabulary.decode(written[:cut]), vocabulary.decode(written[cut:]))
        found = reply.metadata
        assert reply.warnings == ()
        assert None not in (found.caption, found.genres, found.language, found.time_signature)
        assert 10 <= found.seconds <= 600
        assert found.bpm == given.bpm if given.bpm else 30 <= found.bpm <= 300
        assert found.key == given.key if given.key else found.key in KEYS


@pytest.mark.host
def test_the_literals_have_the_published_tokens(qwen_grammar):
    vocabulary = qwen_grammar.vocabulary
    state = qwen_grammar.block(Metadata(bpm=80, seconds=30, key="C major", time_signature=4))
    written = []
    while len(state.allowed) == 1:
        (token,) = state.allowed
        written.append(token)
        state = state.advance(token)
    assert written == [151667, 198, 65, 5187, 25, 220, 23, 15, 198, 23347, 25]
    assert state.name == "caption"
    assert vocabulary.encode(" Ab minor\n")[0] == 3680


@pytest.mark.host
def test_a_block_written_field_by_field_has_the_tokens_of_the_whole_text(qwen_grammar):
    """Otherwise the model would see other tokens while planning than in the codes prompt."""
    vocabulary = qwen_grammar.vocabulary
    metadata = Metadata(97, "A calm song. With ♯ and: more", 123, None, "F♯ minor", "yue", 6)
    text = think_block(metadata).replace("'", "")
    closed = Literal("think", (vocabulary.think_end,))
    state = qwen_grammar.block(Metadata(), ("genres",), closed)
    assert walk(state, vocabulary.encode(text)) is None
    assert parse_reply(text).metadata == metadata


@pytest.mark.host
def test_the_published_tries_offer_the_published_first_tokens(qwen_grammar):
    tries = qwen_grammar.tries
    assert set(tries["key"]) == {362, 425, 356, 422, 468, 434, 479, 3680, 11988, 25570}
    assert set(tries["bpm"]) == {220}
    assert len(tries["language"]) == 51
    sharp = tries["key"][434]
    assert set(sharp) == {2, 65, 145346, 145761, 3598, 8922}


@pytest.mark.host
def test_a_published_full_stop_with_newline_ends_a_captions_line(qwen_grammar):
    state = walk(
        qwen_grammar.block(Metadata(), ("genres",)),
        [151667, 198, 65, 5187, 25, 220, 23, 15, 198, 23347, 25, 362, 624],
    )
    assert 17021 in state.allowed  # duration
    assert 220 in state.allowed and 362 in state.allowed  # a space, " A"
    assert 32 not in state.allowed and 151645 not in state.allowed  # "A", the end token
    assert state.advance(17021).allowed == {25}


def test_no_text_may_hold_a_control_character(lm):
    grammar, vocabulary = lm.grammar, lm.vocabulary
    texts = vocabulary.texts  # a zero byte is refused where texts enter
    null, escape, tab = (texts.index(letter) for letter in "\x00\x1b\t")
    for allowed in (grammar.printable, grammar.text.inside, grammar.text.first, grammar.line):
        assert not {null, escape} & allowed
        assert tab in allowed
