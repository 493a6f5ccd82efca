"""What tests of the miniature ask its language model for ends soon, and says the same fields."""

import pytest

from ace_core.lm.grammar import walk
from ace_core.lm.metadata import Metadata
from ace_core.lm.metadata_grammar import MetadataGrammar
from tests.short_texts import LIMITS, TEXT_TOKENS, short_texts

HEAD = "<think>\nbpm: 30\ncaption:"
TAIL = "\nduration: 10\ngenres: a\nkeyscale: C major\nlanguage: en\ntimesignature: 4\n</think>"


@pytest.mark.parametrize("constrained", [True, False])
def test_a_text_stops_after_its_tokens(vocabulary, constrained: bool):
    grammar = MetadataGrammar(vocabulary)
    with short_texts():
        text = grammar.reply(Metadata()) if constrained else grammar.unconstrained(vocabulary.end)
        head = vocabulary.encode(f"{HEAD} a{TAIL}") if constrained else []
    before = walk(text, [*head, *vocabulary.encode("a" * (TEXT_TOKENS - 1))])
    assert vocabulary.encode("a")[0] in before.allowed
    last = before.advance(vocabulary.encode("a")[0])
    assert set(last.allowed) == {vocabulary.end}
    assert last.advance(vocabulary.end) is None


def test_a_caption_is_short_within_and_long_again_behind(vocabulary):
    grammar = MetadataGrammar(vocabulary)
    written = vocabulary.encode(HEAD + "a" * LIMITS["CAPTION_TOKENS"])
    with short_texts():
        state = walk(grammar.reply(Metadata()), written)
    assert set(state.allowed) == {vocabulary.newline}
    assert vocabulary.encode("a")[0] in walk(grammar.reply(Metadata()), written).allowed


def test_codes_go_on(vocabulary):
    grammar = MetadataGrammar(vocabulary)
    with short_texts():
        codes = grammar.codes(None)
    many = [vocabulary.codes[0]] * (2 * TEXT_TOKENS)
    assert vocabulary.codes[0] in walk(codes, many).allowed
