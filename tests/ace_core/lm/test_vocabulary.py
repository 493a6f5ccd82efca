"""Where text ends and audio codes begin, for both kinds of tokenizer."""

import json

import pytest

from ace_core.constants import CODEBOOK_SIZE
from ace_core.errors import CheckpointError, InvalidRequestError
from ace_core.lm.vocabulary import AUDIO_TOKENS, Vocabulary, code_token
from ace_core.tokens import load_tokenizer
from tools.miniature.tokenizer import write_tokenizer


@pytest.fixture(scope="module")
def whole_tokenizer(tmp_path_factory):
    """One that carries the audio codes itself, as the official folders' do."""
    return load_tokenizer(write_tokenizer(tmp_path_factory.mktemp("whole"), AUDIO_TOKENS).parent)


@pytest.mark.host
def test_the_published_codes_follow_a_tokenizer_without_codes(qwen):
    assert qwen.codes == range(151_669, 215_669)
    assert (qwen.end, qwen.think, qwen.think_end) == (151_645, 151_667, 151_668)
    assert qwen.plain == range(151_643)
    assert qwen.newline == 198


def test_codes_of_the_tokenizer_have_the_same_ids(whole_tokenizer, vocabulary):
    whole = Vocabulary(whole_tokenizer, whole_tokenizer.size)
    assert whole.codes == vocabulary.codes == range(261, 64_261)
    assert whole.text == range(261)
    assert whole.plain == range(256)


def test_both_kinds_read_and_write_the_same(whole_tokenizer, vocabulary):
    whole = Vocabulary(whole_tokenizer, whole_tokenizer.size)
    text = "<|im_start|>a<|audio_code_7|><|audio_code_63999|> b<|im_end|>"
    assert vocabulary.encode(text) == whole.encode(text)
    assert vocabulary.encode(text)[2:4] == [268, 64_260]
    assert vocabulary.decode(vocabulary.encode(text)) == text


def test_a_code_beyond_the_vocabulary_stays_text(vocabulary):
    text = "<|audio_code_65535|>"
    assert vocabulary.encode(text) == vocabulary.tokenizer.encode(text)
    assert len(vocabulary.encode("<|audio_code_65534|>")) == 1


def test_a_trie_holds_every_value_and_nothing_else(vocabulary):
    trie = vocabulary.trie(["3", "30"])
    space, three, zero, newline = vocabulary.encode(" 30\n")
    assert trie == {space: {three: {newline: {}, zero: {newline: {}}}}}


def test_a_text_encoder_is_refused(byte_tokenizer):
    with pytest.raises(CheckpointError, match=r"261 tokens and no audio codes.*text encoder"):
        Vocabulary(byte_tokenizer, byte_tokenizer.size)


def test_a_model_of_another_size_is_refused(byte_tokenizer):
    with pytest.raises(CheckpointError, match="tokenizer has 261 tokens and the language model"):
        Vocabulary(byte_tokenizer, byte_tokenizer.size + AUDIO_TOKENS + 1)


@pytest.mark.parametrize("missing", ["<|im_end|>", "<think>", "</think>", "<|endoftext|>"])
def test_a_tokenizer_without_a_special_token_is_refused_by_its_name(tmp_path, missing):
    path = write_tokenizer(tmp_path)
    content = json.loads(path.read_text())
    content["added_tokens"] = [t for t in content["added_tokens"] if t["content"] != missing]
    for place, token in enumerate(content["added_tokens"]):
        token["id"] = 256 + place
    path.write_text(json.dumps(content))
    tokenizer = load_tokenizer(tmp_path)
    with pytest.raises(CheckpointError) as refusal:
        Vocabulary(tokenizer, tokenizer.size + AUDIO_TOKENS)
    assert missing in str(refusal.value)


def test_a_line_end_of_several_tokens_is_refused(tmp_path):
    path = write_tokenizer(tmp_path)
    content = json.loads(path.read_text())
    content["pre_tokenizer"]["add_prefix_space"] = True
    path.write_text(json.dumps(content))
    tokenizer = load_tokenizer(tmp_path)
    with pytest.raises(CheckpointError, match="makes 2 tokens of a line's end"):
        Vocabulary(tokenizer, tokenizer.size + AUDIO_TOKENS)


def test_a_code_without_a_row_is_refused_by_its_name(whole_tokenizer):
    """A model with the rows of the codes that can be decoded alone."""
    vocabulary = Vocabulary(whole_tokenizer, whole_tokenizer.size - AUDIO_TOKENS + CODEBOOK_SIZE)
    assert len(vocabulary.encode(code_token(CODEBOOK_SIZE - 1))) == 1
    with pytest.raises(InvalidRequestError, match=r"'<\|audio_code_64000\|>' is token"):
        vocabulary.encode(code_token(CODEBOOK_SIZE))


class GappedTokenizer:
    """Knows its first and its last usable code, but one token lies between too many."""

    size = 70_000

    def token_id(self, token: str) -> int | None:
        return {"<|audio_code_0|>": 1_000, "<|audio_code_63999|>": 65_000}.get(token)


def test_codes_that_do_not_follow_each_other_are_refused():
    with pytest.raises(CheckpointError, match=r"id 1000 and .* id 65000, but .* consecutive"):
        Vocabulary(GappedTokenizer(), 70_000)
