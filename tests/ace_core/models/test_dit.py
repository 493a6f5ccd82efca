import pytest
import torch

from ace_core.models.dit import DiT
from tests.float64 import in_float64
from tests.oracle import diffusers_of
from tests.rounding import assert_same
from tests.toy import acestep, dit_config, fill, randn, randn64


def dit(xl: bool = False) -> DiT:
    return fill(DiT(dit_config(xl=xl))).double()


def inputs(batch: int, frames: int) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
    """Noisy latent, times and context in float64."""
    times = torch.linspace(0.9545, 0.3, batch, dtype=torch.float64)
    return randn64(batch, frames, 64), times, randn64(batch, frames, 128, seed=2)


# 7: odd; 301: dense window; 801: 401 tokens, banded window of 128, odd
@pytest.mark.parametrize("frames", [7, 301, 801])
@pytest.mark.parametrize("xl", [False, True])
def test_velocity_is_that_of_diffusers(xl: bool, frames: int):
    model = acestep(dit_config(xl=xl)).double()
    x, t, context = inputs(2, frames)
    encoded = randn64(2, 33, 64, seed=3)
    with torch.no_grad(), in_float64():
        oracle = diffusers_of(model).transformer
        (wanted,) = oracle(x, t, t, encoded, context, return_dict=False)
    with torch.no_grad():
        given = model.decoder(x, t, context, model.decoder.cross_attention_kv(encoded))
    assert_same(given, wanted)


def test_item_of_a_batch_equals_the_item_alone():
    model = dit()
    x, t, context = inputs(3, 801)
    encoded = randn64(3, 9, 64, seed=3)
    together = model(x, t, context, model.cross_attention_kv(encoded))
    for item in range(3):
        one = slice(item, item + 1)
        alone = model(x[one], t[one], context[one], model.cross_attention_kv(encoded[one]))
        assert_same(together[one], alone)


def test_context_and_kv_of_one_item_serve_a_batch():
    model = dit()
    x, t, context = inputs(2, 20)
    encoded = randn64(1, 9, 64, seed=3)
    shared = model(x, t, context[:1], model.cross_attention_kv(encoded))
    spelled = model(
        x, t, context[:1].repeat(2, 1, 1), model.cross_attention_kv(encoded.repeat(2, 1, 1))
    )
    assert_same(shared, spelled)


def test_a_null_kv_of_length_one_equals_the_expanded_one():
    model = dit()
    x, t, context = inputs(2, 51)
    null = randn64(1, 1, 64, seed=4)
    short = model(x, t, context, model.cross_attention_kv(null))
    long = model(x, t, context, model.cross_attention_kv(null.expand(2, 37, -1)))
    assert_same(short, long)


def test_an_odd_length_is_padded_with_zeros_and_cropped():
    model = dit()
    x, t, context = inputs(1, 22)
    x[:, 21:], context[:, 21:] = 0, 0
    kv = model.cross_attention_kv(randn64(1, 9, 64, seed=3))
    odd = model(x[:, :21], t, context[:, :21], kv)
    assert_same(odd, model(x, t, context, kv)[:, :21])


def test_the_time_reaches_bfloat16_without_being_rounded_to_two():
    # t * 1000 made in bfloat16 is 952 for 0.9545; made in float32 from a float32 time it is 954.5
    model = dit().float()
    x, _, context = (each.float() for each in inputs(1, 40))
    encoded = randn(1, 9, 64, seed=3)
    exact = model(x, torch.tensor([0.9545]), context, model.cross_attention_kv(encoded))
    trapped = model(x, torch.tensor([0.952]), context, model.cross_attention_kv(encoded))
    model.bfloat16()
    kv = model.cross_attention_kv(encoded.bfloat16())
    half = model(x.bfloat16(), torch.tensor([0.9545]), context.bfloat16(), kv)
    assert half.dtype == torch.bfloat16
    error = (half.float() - exact).norm()
    assert error < 0.02 * exact.norm()
    assert error < 0.5 * (trapped - exact).norm()


@pytest.mark.parametrize("frames", [21, 801])
def test_bfloat16_stays_within_two_percent(frames: int):
    model = dit(xl=True).float()
    x, t, context = (each.float() for each in inputs(2, frames))
    encoded = randn(1, 9, 64, seed=3)
    wanted = model(x, t, context, model.cross_attention_kv(encoded))
    model.bfloat16()
    kv = model.cross_attention_kv(encoded.bfloat16())
    given = model(x.bfloat16(), t, context.bfloat16(), kv)
    assert (given.float() - wanted).norm() < 0.02 * wanted.norm()
