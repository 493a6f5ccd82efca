from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from ace_core.models.acestep import ConditionEncoder, TimbreEncoder
from ace_core.models.attention import Encoder
from ace_core.models.config import SLIDING, StackConfig
from ace_core.models.ops import TORCH
from tests.float64 import in_float64
from tests.oracle import diffusers_of
from tests.rounding import SINGLE, assert_same, difference
from tests.toy import TEXT_HIDDEN_SIZE, acestep, dit_config, fill, randn, randn64

WINDOW = 8
GOLDEN = Path(__file__).parents[2] / "goldens" / "xl_timbre.safetensors"


def ones(length: int) -> torch.Tensor:
    return torch.ones(1, length, dtype=torch.long)


# 131: just over the window; 403: banded
@pytest.mark.parametrize("lyric_tokens", [5, 131, 403])
def test_encoded_is_that_of_diffusers(lyric_tokens: int):
    model = acestep().double()
    text = randn64(1, 21, TEXT_HIDDEN_SIZE, seed=2)
    lyrics = randn64(1, lyric_tokens, TEXT_HIDDEN_SIZE, seed=3)
    timbre = randn64(2, 601, 64, seed=4)
    with torch.no_grad(), in_float64():
        wanted, _ = diffusers_of(model).encoder(
            text, ones(21), lyrics, ones(lyric_tokens), timbre, torch.zeros(2, dtype=torch.long)
        )
    given = model.encoder(text, lyrics, timbre)
    assert given.shape == (1, lyric_tokens + 2 + 21, 64)
    assert_same(given, wanted)


def test_xl_timbre_is_that_of_the_official_code():
    golden = load_file(GOLDEN)
    size = StackConfig(hidden_size=16, intermediate_size=24, heads=4, kv_heads=2, head_dim=8)
    config = replace(dit_config(xl=True), encoder=size, timbre_layers=3, latent_channels=16)
    encoder = TimbreEncoder(config, TORCH).double()
    prefix = "weights."
    encoder.load_state_dict(
        {key[len(prefix) :]: value for key, value in golden.items() if key.startswith(prefix)}
    )
    wanted = golden["vectors"][0]  # [R, E]
    assert difference(encoder(golden["clips"].double()), wanted) < SINGLE


def test_only_xl_reads_the_token_before_the_clip():
    clips = randn(1, 30, 64)
    for xl in (False, True):
        encoder = fill(TimbreEncoder(dit_config(xl=xl), TORCH))
        before = encoder(clips)
        encoder.special_token.add_(1)
        assert torch.equal(before, encoder(clips)) != xl


def test_lyrics_come_first_then_one_vector_per_clip_then_text():
    encoder = fill(ConditionEncoder(dit_config(), TORCH)).double()
    text, lyrics = randn64(1, 4, TEXT_HIDDEN_SIZE, seed=2), randn64(1, 6, TEXT_HIDDEN_SIZE, seed=3)
    clips = randn64(3, 30, 64, seed=4)
    encoded = encoder(text, lyrics, clips)
    assert_same(encoded[:, :6], encoder.lyric_encoder(lyrics))
    assert_same(encoded[:, 9:], encoder.text_projector(text))
    for index, clip in enumerate(clips):
        alone = encoder.timbre_encoder(clip[None])
        assert_same(encoded[:, 6 + index], alone)


@pytest.mark.parametrize(
    "types", [("full_attention", SLIDING), (SLIDING, "full_attention"), (SLIDING,)]
)
@pytest.mark.parametrize("length", [1, 6, WINDOW + 1, WINDOW + 2, 5 * WINDOW])
def test_the_first_token_alone_is_that_of_all(types: tuple[str, ...], length: int):
    size = replace(dit_config().encoder, layer_types=types, window=WINDOW)
    encoder = fill(Encoder(size, 8, len(types), TORCH)).double()
    x = randn64(2, length, size.hidden_size)
    assert_same(encoder.first_token(x), encoder.run_layers(x)[:, 0])


def test_the_last_layer_computes_no_other_token():
    encoder, rows = fill(TimbreEncoder(dit_config(), TORCH)), []
    for layer in encoder.layers:
        layer.mlp.register_forward_pre_hook(lambda _, inputs: rows.append(inputs[0].shape[1]))
    encoder(randn(1, 30, 64))
    assert rows == [30] * (len(rows) - 1) + [1]
