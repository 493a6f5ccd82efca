"""Prompts to ids: each text alone, always with the end token, with a warning when it is cut."""

import logging
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ace_core.conditioning.text import TextEncoder, fit_caption, lyric_warnings, prompt_ids
from ace_core.constants import END_OF_TEXT
from ace_core.errors import CheckpointError, InvalidRequestError
from ace_core.prompts import TEXT_TO_MUSIC, lyric_prompt, text_prompt
from ace_core.tokens import load_tokenizer
from ace_core.types import Song
from ace_core.weights import load_text_encoder
from tools.hosts.checkout import find_checkout
from tools.miniature.tokenizer import write_tokenizer

QWEN = (find_checkout() or Path("no ComfyUI")) / "comfy" / "text_encoders" / "qwen25_tokenizer"


@pytest.fixture(scope="module")
def encoder(checkpoints) -> TextEncoder:
    folder = checkpoints.text_encoder
    return TextEncoder(load_tokenizer(folder), load_text_encoder(folder))


def test_one_more_end_token_follows_the_one_of_the_template(encoder):
    tokenizer = encoder.tokenizer
    end = tokenizer.token_id(END_OF_TEXT)
    ids = prompt_ids(tokenizer, f"ab{END_OF_TEXT}\n", 256, "text")
    assert ids == [*tokenizer.encode("ab"), end, *tokenizer.encode("\n"), end]


def test_a_text_that_just_fits_is_kept_without_a_word(encoder, caplog):
    ids = prompt_ids(encoder.tokenizer, "x" * 255, 256, "text")
    assert len(ids) == 256
    assert not caplog.records


def test_a_longer_text_is_cut_keeps_its_end_token_and_says_what_is_lost(encoder, caplog):
    tokenizer = encoder.tokenizer
    with caplog.at_level(logging.WARNING):
        ids = prompt_ids(tokenizer, "x" * 255 + "lost", 256, "lyric prompt")
    assert ids == [*tokenizer.encode("x" * 255), tokenizer.token_id(END_OF_TEXT)]
    assert "lyric prompt has 259 tokens" in caplog.text
    assert "'lost'" in caplog.text


def test_a_token_without_a_row_in_the_model_is_refused_by_name(encoder, tmp_path):
    """The language model's tokenizer has 65,535 more tokens than the text encoder has rows."""
    larger = load_tokenizer(write_tokenizer(tmp_path, audio_codes=3))
    with pytest.raises(InvalidRequestError, match=r"'<\|audio_code_2\|>' is token 263"):
        replace(encoder, tokenizer=larger).states("a <|audio_code_2|>")


@pytest.fixture(
    params=[
        "miniature",
        pytest.param(
            "qwen",
            marks=[
                pytest.mark.host,
                pytest.mark.skipif(
                    not QWEN.is_dir(), reason=f"NOT CHECKED: no real Qwen tokenizer at {QWEN}"
                ),
            ],
        ),
    ],
    scope="module",
)
def tokenizer(request, encoder):
    return encoder.tokenizer if request.param == "miniature" else load_tokenizer(QWEN)


FACTS = Song(bpm=95, key="F# minor", time_signature=3, seconds=42)
LONG = (
    "静かな夜のピアノと雨の音がやさしく響く穏やかな曲" * 12,
    "a slow waltz of strings and a quiet voice, " * 40,
    "🎹🎻" * 300,
)


@pytest.mark.parametrize("caption", LONG)
def test_a_long_caption_is_cut_and_no_fact_is(tokenizer, caption):
    song = replace(FACTS, caption=caption)
    fitted = fit_caption(tokenizer, song, TEXT_TO_MUSIC, 42)
    ids = prompt_ids(tokenizer, text_prompt(fitted.song, TEXT_TO_MUSIC, 42), 256, "text prompt")
    read = tokenizer.decode(ids)
    for fact in ("bpm: 95", "keyscale: F# minor", "timesignature: 3", "duration: 42 seconds"):
        assert fact in read
    assert caption.startswith(fitted.song.caption)
    assert len(ids) > 256 - 24 * 4  # as much is read as fits, down to a whole word
    assert replace(fitted.song, caption="") == FACTS
    (warning,) = fitted.warnings
    assert repr(caption[len(fitted.song.caption) :][:60]) in warning
    assert len(warning) < 250


def test_a_caption_is_cut_between_two_words(tokenizer):
    song = replace(FACTS, caption=LONG[1])
    caption = fit_caption(tokenizer, song, TEXT_TO_MUSIC, 42).song.caption
    assert caption
    assert LONG[1][len(caption)] == " "


def test_a_caption_that_fits_is_kept(tokenizer):
    fitted = fit_caption(tokenizer, replace(FACTS, caption="calm"), TEXT_TO_MUSIC, 42)
    assert fitted == (replace(FACTS, caption="calm"), ())


def test_an_instruction_without_room_for_a_caption_is_told(tokenizer):
    song = replace(FACTS, caption="calm")
    fitted = fit_caption(tokenizer, song, "play " * 300, 42)
    assert fitted.song == song
    assert "it does not see its end" in fitted.warnings[0]


def test_lyrics_that_the_model_does_not_read_are_told(tokenizer):
    song = Song("calm", "la la " * 2_000)
    (warning,) = lyric_warnings(tokenizer, song)
    assert f"has {len(tokenizer.encode(lyric_prompt(song)))} tokens and the model reads" in warning
    assert len(warning) < 250
    assert lyric_warnings(tokenizer, Song("calm", "la la")) == ()


def test_the_official_cut_of_the_prompts_end_can_be_had(encoder):
    song = replace(FACTS, caption=LONG[1])
    assert replace(encoder, keep_metadata=False).fit(song, TEXT_TO_MUSIC, 42) == (song, ())
    assert encoder.fit(song, TEXT_TO_MUSIC, 42).song != song


def test_text_goes_through_the_transformer_and_lyrics_only_through_the_table(encoder):
    table = encoder.model.embed_tokens.weight
    ids = prompt_ids(encoder.tokenizer, "abc", 256, "text")
    lyrics = encoder.embeddings("abc")
    assert torch.equal(lyrics[0], table[torch.tensor(ids)])
    states = encoder.states("abc")
    assert states.shape == lyrics.shape
    assert not torch.allclose(states, lyrics)


def test_a_later_word_changes_no_earlier_state(encoder):
    first, second = encoder.states("abc def"), encoder.states("abc xyz")
    torch.testing.assert_close(first[:, :4], second[:, :4])
    assert not torch.allclose(first[:, 4:7], second[:, 4:7])


def test_a_tokenizer_without_the_end_token_is_refused_by_name():
    class Foreign:
        size = 4

        def encode(self, text: str) -> list[int]:
            return [0] * len(text)

        def decode(self, ids: list[int]) -> str:
            return ""

        def token_id(self, token: str) -> int | None:
            return None

        def texts(self, count: int) -> list[str]:
            return []

    with pytest.raises(CheckpointError, match=r"<\|endoftext\|>"):
        prompt_ids(Foreign(), "abc", 256, "text")
