"""Prompts to ids: each text alone, always with the end token, with a warning when it is cut."""

import logging

import pytest
import torch

from ace_core.conditioning.text import TextEncoder, prompt_ids
from ace_core.constants import END_OF_TEXT
from ace_core.errors import CheckpointError
from ace_core.tokens import load_tokenizer
from ace_core.weights import load_text_encoder


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
    assert "lyric prompt is 259 tokens" in caplog.text
    assert "'lost'" in caplog.text


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

        def texts(self) -> list[str]:
            return []

    with pytest.raises(CheckpointError, match=r"<\|endoftext\|>"):
        prompt_ids(Foreign(), "abc", 256, "text")
