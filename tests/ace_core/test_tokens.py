"""The tokenizer seam: what is read, what is refused."""

import json
from pathlib import Path

import pytest
import transformers

from ace_core import tokens
from ace_core.errors import CheckpointError, InvalidRequestError
from ace_core.tokens import load_tokenizer, required_id
from tools.hosts.checkout import find_checkout
from tools.miniature.tokenizer import SPECIAL, write_tokenizer

QWEN = (find_checkout() or Path("no ComfyUI")) / "comfy" / "text_encoders" / "qwen25_tokenizer"


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return load_tokenizer(write_tokenizer(tmp_path_factory.mktemp("tokens"), audio_codes=3).parent)


def test_any_text_comes_back_as_it_went_in(tokenizer):
    text = "<|im_start|>user\n Café ♯\t<think>\n</think><|audio_code_2|>\n\n"
    assert tokenizer.decode(tokenizer.encode(text)) == text


def test_nothing_is_added_to_a_text(tokenizer):
    assert tokenizer.encode("") == []
    assert len(tokenizer.encode("abc\n")) == 4


def test_special_tokens_follow_the_bytes_and_codes_come_last(tokenizer):
    ids = [tokenizer.token_id(token) for token in (*SPECIAL, "<|audio_code_0|>")]
    assert ids == list(range(256, 262))
    assert tokenizer.size == 264


def test_texts_are_the_tokens_by_id(tokenizer):
    texts = tokenizer.texts(tokenizer.size)
    assert len(texts) == tokenizer.size
    assert tokenizer.texts(9) == texts[:9]
    assert texts[tokenizer.encode("\n")[0]] == "\n"
    assert texts[-1] == "<|audio_code_2|>"


def test_a_token_that_is_missing_is_named(tokenizer):
    with pytest.raises(CheckpointError, match=r"no token <\|box\|>.*qwen25_tokenizer"):
        required_id(tokenizer, "<|box|>")
    assert required_id(tokenizer, "<think>") == 259


def test_a_file_of_another_name_is_read_as_a_tokenizer(tmp_path, tokenizer):
    file = write_tokenizer(tmp_path, audio_codes=3).rename(tmp_path / "qwen.tokenizer.json")
    assert load_tokenizer(file).encode("la") == tokenizer.encode("la")


def test_a_file_gives_the_ids_that_transformers_gives(tmp_path, tokenizer):
    file = write_tokenizer(tmp_path, audio_codes=3)
    theirs = transformers.PreTrainedTokenizerFast(tokenizer_file=str(file)).backend_tokenizer
    for text in ("", "la <|im_end|>\n", "<|audio_code_2|><think> Café ♯\t</think>\r\n\n"):
        assert tokenizer.encode(text) == theirs.encode(text, add_special_tokens=False).ids
    assert tokenizer.size == len(theirs.get_vocab())


def test_a_folder_that_is_not_there_is_refused(tmp_path):
    with pytest.raises(CheckpointError, match="is not a folder with a tokenizer"):
        load_tokenizer(tmp_path / "nothing")


def test_a_folder_without_a_tokenizer_says_where_to_get_one(tmp_path):
    (tmp_path / "vocab.json").write_text("{}")
    with pytest.raises(CheckpointError, match=r"merges\.txt is in it.*qwen25_tokenizer"):
        load_tokenizer(tmp_path)


@pytest.mark.parametrize("content", ["not json", json.dumps({"model": 3}), "[]"])
def test_a_broken_file_is_refused_by_name(tmp_path, content):
    (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(CheckpointError, match="Download it again"):
        load_tokenizer(tmp_path)


def changed(folder, **parts):
    """The miniature tokenizer's file in `folder`, with other parts."""
    path = write_tokenizer(folder, audio_codes=3)
    path.write_text(json.dumps({**json.loads(path.read_text()), **parts}))
    return path


def regex(pattern):
    return {"type": "Split", "pattern": {"Regex": pattern}, "behavior": "Isolated", "invert": False}


@pytest.mark.parametrize("place", ["pre_tokenizer", "normalizer", "decoder"])
def test_a_regular_expression_of_a_stranger_is_refused(tmp_path, place):
    kinds = {"pre_tokenizer": "pretokenizers", "normalizer": "normalizers", "decoder": "decoders"}
    parts = {"type": "Sequence", kinds[place]: [regex("(a+)+b")]}
    with pytest.raises(CheckpointError, match=r"regular expression '\(a\+\)\+b'.*qwen25_tokenizer"):
        load_tokenizer(changed(tmp_path, **{place: parts}))


HIDDEN = {  # how a stranger might write it
    '"Regex" :\n "(a+)+b"': "regular expression",
    r'"Regex": "\u0028a+)+b"': "regular expression",
    r'"Regex": "\\"(a+)+b"': "regular expression",
    r'"Regex": "\ud83c"': "regular expression",
    r'"Regex": "\q"': "not a JSON file",
    r'"\u0052egex": "(a+)+b"': "letters by their numbers",
    r'"Rege\u0078": "(a+)+b"': "letters by their numbers",
}


@pytest.mark.parametrize("written", HIDDEN)
def test_a_regular_expression_is_found_however_it_is_written(tmp_path, written):
    path = changed(tmp_path, pre_tokenizer=regex("PATTERN"))
    text = path.read_text()
    assert '"Regex": "PATTERN"' in text
    path.write_text(text.replace('"Regex": "PATTERN"', written))
    with pytest.raises(CheckpointError, match=HIDDEN[written]):
        load_tokenizer(path)


def test_a_token_of_that_name_is_none(tmp_path):
    words = {"Regex": 0, '"Regex": "(a+)+b"': 1}
    model = {"type": "WordLevel", "vocab": words, "unk_token": "Regex"}
    path = changed(tmp_path, model=model, added_tokens=[], pre_tokenizer=None, post_processor=None)
    assert load_tokenizer(path).size == 2


@pytest.mark.parametrize("pattern", sorted(tokens.PATTERNS))
def test_the_expressions_of_qwens_tokenizers_are_read(tmp_path, pattern):
    letters = {"type": "ByteLevel", "add_prefix_space": False, "use_regex": False}
    letters["trim_offsets"] = True
    parts = {"type": "Sequence", "pretokenizers": [regex(pattern), letters]}
    tokenizer = load_tokenizer(changed(tmp_path, pre_tokenizer=parts))
    assert tokenizer.decode(tokenizer.encode("It's 12  ♯\n")) == "It's 12  ♯\n"


PADDING = {"direction": "Right", "pad_id": 0, "pad_type_id": 0, "pad_token": "!"}
PADDING |= {"strategy": {"Fixed": 10**12}, "pad_to_multiple_of": None}  # 4 TB, which ends a process
TRUNCATION = {"direction": "Right", "max_length": 2, "strategy": "LongestFirst", "stride": 0}


@pytest.mark.parametrize("parts", [{"padding": PADDING}, {"truncation": TRUNCATION}])
def test_a_file_that_pads_or_cuts_gives_the_same_ids(tmp_path, tokenizer, parts):
    assert load_tokenizer(changed(tmp_path, **parts)).encode("la la") == tokenizer.encode("la la")


FAULTY = {
    "merge": ({"type": "BPE", "vocab": {"a": 0, "b": 1}, "merges": ["a b"]}, "cannot be used"),
    "id": ({"type": "BPE", "vocab": {"a": 4_000_000_000}, "merges": []}, "ids up to 4000000000"),
    "gap": ({"type": "BPE", "vocab": {"a": 0, "b": 2}, "merges": []}, "and ids up to 2"),
    "twice": ({"type": "BPE", "vocab": {"a": 0, "b": 0}, "merges": []}, "and ids up to 0"),
    "none": ({"type": "BPE", "vocab": {}, "merges": []}, "0 tokens"),
}


@pytest.mark.parametrize("name", FAULTY)
def test_what_the_library_would_stop_at_is_refused(tmp_path, name):
    """A panic of the library is no Exception: a host's worker would end by it."""
    model, message = FAULTY[name]
    with pytest.raises(CheckpointError, match=message):
        load_tokenizer(changed(tmp_path, model=model, added_tokens=[], post_processor=None))


def test_a_tokenizer_that_cannot_read_a_text_is_named(tmp_path):
    model = {"type": "WordLevel", "vocab": {"a": 0}, "unk_token": "none"}
    path = changed(tmp_path, model=model, added_tokens=[], pre_tokenizer=None)
    tokenizer = load_tokenizer(path)
    with pytest.raises(CheckpointError, match=r"tokenizer\.json cannot be used: .*Missing"):
        tokenizer.encode("b")


def test_a_token_that_the_model_does_not_have_is_named(tokenizer):
    last = tokenizer.size - 1
    tokens.check_ids(tokenizer, [0, last], last + 1)
    with pytest.raises(InvalidRequestError, match=rf"'<\|audio_code_2\|>' is token {last}"):
        tokens.check_ids(tokenizer, [0, last], last)


@pytest.mark.host
@pytest.mark.skipif(not QWEN.is_dir(), reason=f"NOT CHECKED: no real Qwen tokenizer at {QWEN}")
def test_the_hosts_tokenizer_is_read_from_vocabulary_and_merges():
    qwen = load_tokenizer(QWEN)
    assert qwen.size == 151_669
    assert required_id(qwen, "<|endoftext|>") == 151_643
    assert qwen.encode("<|im_start|>system\n# Instruction\n") == [151644, 8948, 198, 2, 29051, 198]
    assert qwen.decode([151667, 198, 65, 5187, 25]) == "<think>\nbpm:"


@pytest.mark.parametrize(("older", "many"), [(True, True), (True, False), (False, True)])
def test_a_minute_of_reading_is_announced(tmp_path, monkeypatch, caplog, older, many):
    monkeypatch.setattr(tokens, "is_older", lambda name, version: older)
    monkeypatch.setattr(tokens, "_MANY", 3 if many else 100)
    load_tokenizer(write_tokenizer(tmp_path, audio_codes=3))
    assert ("takes about a minute" in caplog.text) == (older and many)
