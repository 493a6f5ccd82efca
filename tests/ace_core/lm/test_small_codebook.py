"""A family of a smaller codebook: vocabulary, masks, guidance and refusals follow its size."""

from dataclasses import replace

import pytest
import torch

from ace_core.conditioning.context import code_hints
from ace_core.errors import CheckpointError, InvalidCodesError
from ace_core.lm.functions import CodesOptions, compose_codes, understand
from ace_core.lm.language_model import LanguageModel
from ace_core.lm.metadata import Metadata
from ace_core.lm.plan import Plan
from ace_core.lm.sampling import SamplingParams
from ace_core.lm.score_codes import score_codes
from ace_core.lm.vocabulary import Vocabulary
from ace_core.models.qwen3 import Qwen3, Qwen3Config
from ace_core.tokens import load_tokenizer
from ace_core.types import AudioCodes, Song
from tests import toy
from tools.miniature.tokenizer import write_tokenizer

COUNT = 48
TEXT = 261  # tokens without codes
SONG = Song("a song", bpm=90, key="C major", time_signature=4, seconds=10.0)


@pytest.fixture(scope="module")
def tokenizer(tmp_path_factory):
    return load_tokenizer(write_tokenizer(tmp_path_factory.mktemp("small"), COUNT).parent)


@pytest.fixture(scope="module")
def small_lm(tokenizer):
    config = Qwen3Config(
        vocab_size=TEXT + COUNT,
        hidden_size=16,
        intermediate_size=24,
        layers=2,
        heads=4,
        kv_heads=2,
        head_dim=8,
    )
    return LanguageModel(toy.fill(Qwen3(config), seed=5), tokenizer)


def test_the_vocabulary_has_as_many_codes_as_the_tokenizer(tokenizer):
    vocabulary = Vocabulary(tokenizer, tokenizer.size)
    assert vocabulary.codes == vocabulary.audio == range(TEXT, TEXT + COUNT)
    assert vocabulary.text == range(TEXT)


def test_a_tokenizer_of_more_codes_is_refused(tokenizer):
    with pytest.raises(CheckpointError, match=r"rows for 47 audio codes, and .* has more"):
        Vocabulary(tokenizer, tokenizer.size - 1)


def test_a_tokenizer_of_fewer_codes_is_refused(tokenizer):
    with pytest.raises(CheckpointError, match=r"audio_code_48.* the id None"):
        Vocabulary(tokenizer, tokenizer.size + 1)


def test_a_tokenizer_without_codes_is_refused(byte_tokenizer):
    with pytest.raises(CheckpointError, match="309 tokens and no audio codes"):
        Vocabulary(byte_tokenizer, TEXT + COUNT)


@pytest.mark.parametrize("scale", [1.0, 2.0])
def test_composed_codes_fill_the_codebook_and_stay_inside(small_lm, scale):
    plans = [Plan(SONG, Metadata.of(SONG))] * 8
    options = CodesOptions(tuple(range(8)), SamplingParams(2.0, top_p=1.0), cfg_scale=scale)
    pieces = compose_codes(small_lm, plans, options)
    assert {len(piece) for piece in pieces} == {50}
    used = {code for piece in pieces for code in piece.values}
    assert max(used) < COUNT
    assert len(used) > COUNT // 2


def test_codes_without_a_length_end_with_the_turn(small_lm):
    song = replace(SONG, seconds=None)
    (piece,) = compose_codes(small_lm, [Plan(song, Metadata.of(song))])
    assert max(piece.values, default=0) < COUNT


def test_codes_of_another_model_are_refused_before_they_are_read_as_text(small_lm):
    with pytest.raises(InvalidCodesError, match=r"Code 48 is of another model.*codes 0 to 47"):
        understand(small_lm, AudioCodes((3, 48)))
    with pytest.raises(InvalidCodesError, match="codes 0 to 47"):
        score_codes(small_lm, [AudioCodes((3,)), AudioCodes((48,))], SONG)


def test_codes_of_another_model_are_refused_before_they_are_decoded():
    model = toy.acestep(replace(toy.dit_config(), fsq_levels=(4, 3, 2, 2, 2, 2)))
    like = torch.zeros(1)
    assert code_hints(model, AudioCodes((0, 191)), like).shape == (1, 10, 64)
    with pytest.raises(InvalidCodesError, match=r"Code 192 is of another model.*codes 0 to 191"):
        code_hints(model, AudioCodes((0, 192)), like)
