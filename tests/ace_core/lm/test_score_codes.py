"""The quality score of audio codes against the official code's, and what it refuses."""

import json
from pathlib import Path

import pytest

from ace_core.errors import InvalidRequestError
from ace_core.lm.language_model import LanguageModel
from ace_core.lm.score_codes import CodesScore, score_codes
from ace_core.lm.vocabulary import AUDIO_TOKENS
from ace_core.models.qwen3 import Qwen3, Qwen3Config
from ace_core.types import AudioCodes, Song
from tests.parity import recipe
from tests.rounding import SINGLE

GOLDEN = json.loads((Path(__file__).parents[2] / "goldens" / "lm_quality.json").read_text())
TEXTS = Song('calm piano: rain, "soft"', "[Verse]\nhello there 雨\n")
FULL = Song(TEXTS.caption, TEXTS.lyrics, 31.5, 90, "F# minor", 3, "en")


@pytest.fixture(scope="module")
def scorer(byte_tokenizer) -> LanguageModel:
    """The weights that the official code had."""
    config = Qwen3Config(
        vocab_size=byte_tokenizer.size + AUDIO_TOKENS,
        hidden_size=recipe.ENCODER["width"],
        intermediate_size=recipe.ENCODER["mlp"],
        layers=2,
        heads=recipe.ENCODER["heads"],
        kv_heads=recipe.ENCODER["kv_heads"],
        head_dim=recipe.ENCODER["head"],
    )
    model = Qwen3(config).requires_grad_(False).eval()
    shapes = {name: tensor.shape for name, tensor in model.state_dict().items()}
    weights = recipe.weights(shapes, "lm")
    table = weights["embed_tokens.weight"]
    table[byte_tokenizer.size :] *= 0.3  # or no metadata would rank before the codes
    table[byte_tokenizer.encode("abcdefghijklmnoprstu: \n")] *= 3
    model.load_state_dict(weights)
    return LanguageModel(model, byte_tokenizer)


def codes(name: str, count: int) -> AudioCodes:
    drawn = recipe.drawn(f"quality/{name}", (count,)).abs() * 20_000
    return AudioCodes(tuple(drawn.long().clamp(0, 63_999).tolist()))


def check(found: CodesScore, name: str) -> None:
    wanted = GOLDEN[name]
    assert found.parts == pytest.approx(wanted["parts"], abs=SINGLE)
    assert found.total == pytest.approx(wanted["total"], abs=SINGLE)


def test_a_whole_song_has_the_official_score(scorer: LanguageModel) -> None:
    check(score_codes(scorer, [codes("full", 40)], FULL)[0], "full")


def test_several_pieces_are_each_scored_as_alone(scorer: LanguageModel) -> None:
    first, second = score_codes(scorer, [codes("full", 40), codes("other", 25)], FULL)
    check(first, "full")
    check(second, "other")


def test_caption_and_lyrics_alone_are_scored_with_another_scale(scorer: LanguageModel) -> None:
    song = Song("loud", "la la")
    check(score_codes(scorer, [codes("words", 40)], song, scale=0.5)[0], "words")


def test_metadata_alone_is_the_whole_score(scorer: LanguageModel) -> None:
    check(score_codes(scorer, [codes("facts", 12)], Song(bpm=120))[0], "facts")


def test_the_size_of_a_vocabulary_chunk_changes_nothing(scorer: LanguageModel, monkeypatch) -> None:
    monkeypatch.setattr("ace_core.lm.score_codes.VOCAB_CHUNK", 97)
    check(score_codes(scorer, [codes("facts", 12)], Song(bpm=120))[0], "facts")


def test_a_pair_that_all_pieces_share_is_run_once(scorer: LanguageModel) -> None:
    passes = []
    score_codes(
        scorer, [codes("a", 5), codes("b", 5)], TEXTS, on_pass=lambda *at: passes.append(at)
    )
    assert passes == [
        (done, 6) for done in range(1, 7)
    ]  # 2 replies, each after both pieces and without codes


def test_parts_have_the_published_weights_and_missing_parts_none() -> None:
    whole = CodesScore({"bpm": 1.0, "language": 0.5, "caption": 0.8, "lyrics": 0.2})
    assert whole.total == pytest.approx(0.5 * 0.8 + 0.3 * 0.2 + 0.2 * 0.75)
    assert CodesScore({"lyrics": 0.2, "bpm": 0.7}).total == pytest.approx((0.06 + 0.14) / 0.5)


def test_a_song_that_states_nothing_is_refused(scorer: LanguageModel) -> None:
    with pytest.raises(InvalidRequestError, match="states nothing"):
        score_codes(scorer, [codes("a", 5)], Song("  ", "\n"))


def test_codes_beyond_max_length_are_refused_with_their_length(scorer: LanguageModel) -> None:
    with pytest.raises(InvalidRequestError, match="at most 40960"):
        score_codes(scorer, [AudioCodes((1,) * 41_000)], Song(bpm=120))


def test_memory_is_reserved_before_scoring(scorer: LanguageModel, monkeypatch) -> None:
    reserved: list[int] = []
    monkeypatch.setattr(scorer, "reserve_memory", reserved.append)
    score_codes(scorer, [codes("a", 5)], Song(bpm=120))
    assert len(reserved) == 1
    assert reserved[0] > 32_768 * 16 * 4  # a chunk of the vocabulary
