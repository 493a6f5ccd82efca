"""Attention by oneDNN's products gives what torch's kernel gives, to bfloat16's rounding."""

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from ace_core.models import bf16_attention
from ace_core.models.attention import (
    blocked_bias,
    dense_bias,
    grouped_query_attention,
    sliding_window,
)
from ace_core.models.bf16_attention import OFFSET, REACH, ROWS, attention, serves
from ace_core.models.onednn import has_product, product
from tests.toy import randn

# weights, results and their quotient are rounded, and the scaled queries: 2 ** -9 at most each
ROUNDINGS = 4 * 2**-9

pytestmark = pytest.mark.skipif(
    not has_product(torch.bfloat16),
    reason="oneDNN has no bfloat16 here",
)


@pytest.fixture(autouse=True)
def _without_gradients():
    with torch.inference_mode():
        yield


def heads(count: int, length: int, batch: int = 1, seed: int = 1) -> Tensor:
    """[B, H, L, D] as a projection lays them out."""
    return randn(batch, length, count, 128, seed=seed).bfloat16().transpose(1, 2)


def exact(q: Tensor, k: Tensor, v: Tensor, bias: Tensor | None = None) -> Tensor:
    groups = q.shape[1] // k.shape[1]
    k, v = (each.double().repeat_interleave(groups, dim=1) for each in (k, v))
    bias = None if bias is None else bias.double()
    return F.scaled_dot_product_attention(q.double(), k, v, attn_mask=bias)


def error(out: Tensor, of: Tensor) -> float:
    return float((out.double() - of).norm() / of.norm())


@pytest.mark.parametrize("queries, keys", [(130, 130), (ROWS + 1, 70), (64, 300)])
@pytest.mark.parametrize("groups", [1, 2])
def test_it_is_attention(queries: int, keys: int, groups: int):
    q, k, v = heads(2 * groups, queries), heads(2, keys, seed=2), heads(2, keys, seed=3)
    assert error(attention(q, k, v), exact(q, k, v)) < ROUNDINGS


def test_keys_that_a_bias_hides_have_no_part():
    q, k, v = heads(4, 200), heads(2, 200, seed=2), heads(2, 200, seed=3)
    bias = dense_bias(200, 20, q)
    seen = attention(q, k, v, bias)
    assert error(seen, exact(q, k, v, bias)) < ROUNDINGS
    v[:, :, 150:] += 100
    assert torch.equal(attention(q, k, v, bias)[:, :, :130], seen[:, :, :130])


def test_every_item_has_its_own_bias():
    q, k, v = heads(4, 64, 3), heads(2, 192, 3, seed=2), heads(2, 192, 3, seed=3)
    bias = blocked_bias(192, 64, q)
    assert error(attention(q, k, v, bias), exact(q, k, v, bias)) < ROUNDINGS


def test_an_item_of_a_batch_is_what_it_is_alone():
    q, k, v = heads(4, 100, 2), heads(2, 90, 2, seed=2), heads(2, 90, 2, seed=3)
    assert torch.equal(attention(q, k, v)[1:], attention(q[1:], k[1:], v[1:]))


@pytest.mark.parametrize("sign", [1, -1])
def test_scores_out_of_reach_are_computed_by_torch(sign: int):
    q, k, v = 3 + heads(1, 70) / 8, sign * (2 + heads(1, 70, seed=2) / 8), heads(1, 70, seed=3)
    scores = q.double() @ k.double().transpose(-1, -2) * 128**-0.5
    assert bool((scores.logsumexp(-1).abs() > REACH).all())
    assert error(attention(q, k, v), exact(q, k, v)) < 5 * ROUNDINGS  # of larger scores


def test_what_is_not_a_number_stays_one():
    q, k, v = heads(2, 70), heads(1, 70, seed=2), heads(1, 70, seed=3)
    q[:, 0, 5] = float("nan")
    assert bool(attention(q, k, v)[:, 0, 5].isnan().all())


def test_a_weight_is_the_exponential_to_its_rounding():
    scores = torch.linspace(-REACH, REACH, 501).bfloat16()[:, None]
    one, offset = torch.ones(1, 1, dtype=torch.bfloat16), torch.full((1,), -OFFSET).bfloat16()
    out = product(scores, one, offset, "sigmoid")
    expected = (scores.double() - OFFSET).exp()
    torch.testing.assert_close(out.double(), expected, rtol=2**-8, atol=0)


def test_the_layers_take_it_where_it_is_faster(monkeypatch: pytest.MonkeyPatch):
    taken: list[Tensor] = []
    monkeypatch.setattr(bf16_attention, "cpu_has_bf16_without_matrix_units", lambda: True)
    monkeypatch.setattr(
        bf16_attention,
        "attention",
        lambda q, k, v, bias: (taken.append(q), attention(q, k, v, bias))[1],
    )
    q, k, v = heads(4, 450), heads(2, 450, seed=2), heads(2, 450, seed=3)
    grouped_query_attention(q, k, v)
    window = sliding_window(torch.empty(1, 450, 1, dtype=q.dtype), 128)
    assert window is not None and window.blocked
    window.attention(q, k, v)
    assert len(taken) == 2

    grouped_query_attention(q, k, v, causal=True)
    monkeypatch.setattr(bf16_attention, "ENABLED", False)
    grouped_query_attention(q, k, v)
    window.attention(q, k, v)
    assert len(taken) == 2


def test_other_dtypes_short_sequences_and_gradients_are_torchs(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(bf16_attention, "cpu_has_bf16_without_matrix_units", lambda: True)
    q, k = heads(2, 64), heads(2, 64)
    assert serves(q, k)
    assert not serves(q.float(), k.float())
    assert not serves(q[:, :, :63], k) and not serves(q, k[:, :, :63])
    assert not serves(q.to("meta"), k.to("meta"))
    monkeypatch.setattr(bf16_attention, "cpu_has_bf16_without_matrix_units", lambda: False)
    assert not serves(q, k)
    monkeypatch.setattr(bf16_attention, "cpu_has_bf16_without_matrix_units", lambda: True)
    with torch.inference_mode(False), torch.enable_grad():
        assert not serves(q, k)
