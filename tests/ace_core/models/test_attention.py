"""Grouped-query attention, sliding windows and rotary positions."""

from typing import Any

import pytest
import torch

from ace_core.models import attention
from ace_core.models.attention import (
    Rope,
    SelfAttention,
    SlidingWindow,
    dense_bias,
    grouped_query_attention,
    merge_heads,
    rotary_embedding,
    rotate,
    sliding_window,
)
from ace_core.models.config import StackConfig
from ace_core.models.ops import TORCH
from tests.rounding import assert_same
from tests.toy import fill, randn, randn64

HEADS, KV_HEADS, HEAD_DIM = 6, 2, 8
SIZE = StackConfig(hidden_size=32, intermediate_size=32, heads=4, kv_heads=2, head_dim=8, window=8)


def queries_keys_values(batch: int, length: int) -> tuple[torch.Tensor, ...]:
    return (
        randn64(batch, 4, length, 8, seed=1),
        randn64(batch, 2, length, 8, seed=2),
        randn64(batch, 2, length, 8, seed=3),
    )


def rope(length: int) -> Rope:
    return rotary_embedding(torch.arange(length), SIZE, torch.float64)


@pytest.mark.parametrize("length", [25, 31, 32, 33, 47, 100])
@pytest.mark.parametrize("batch", [1, 3])
def test_attention_in_blocks_equals_dense_attention(batch: int, length: int):
    q, k, v = queries_keys_values(batch, length)
    window = sliding_window(torch.empty(batch, length, 32, dtype=torch.float64), 8)
    assert window is not None and window.blocked
    dense = merge_heads(grouped_query_attention(q, k, v, dense_bias(length, 8, q)))
    in_blocks = window.attention(q, k, v)
    assert_same(in_blocks, dense)
    assert in_blocks.stride() == dense.stride()  # torch calls others contiguous for one item


@pytest.mark.parametrize("length", [10, 24])
def test_a_short_sequence_is_masked_as_a_whole(length: int):
    window = sliding_window(torch.empty(1, length, 32), 8)
    assert isinstance(window, SlidingWindow) and not window.blocked
    allowed = window.bias[0, 0] == 0
    assert all(allowed[i, j] == (abs(i - j) <= 8) for i in range(length) for j in range(length))


def test_a_sequence_inside_the_window_needs_no_mask():
    assert sliding_window(torch.empty(1, 9, 32), 8) is None
    assert sliding_window(torch.empty(1, 10, 32), 8) is not None


@pytest.mark.parametrize("length", [20, 60])  # dense and in blocks
def test_a_frame_outside_the_window_changes_nothing(length: int):
    layer = fill(SelfAttention(SIZE, TORCH)).double()
    x = randn64(1, length, 32)
    far = x.clone()
    far[:, -1] += 100.0
    window = sliding_window(x, SIZE.window)
    before, after = layer(x, rope(length), window), layer(far, rope(length), window)
    edge = length - 1 - SIZE.window  # the first query that sees the last frame
    assert_same(before[:, :edge], after[:, :edge])
    assert not torch.allclose(before[:, edge], after[:, edge])


def test_scores_after_rotation_depend_on_the_distance_alone():
    q, k = randn64(8), randn64(8, seed=2)
    rotated_q = rotate(q.expand(1, 40, 1, 8), rope(40))[0, :, 0]  # [40, 8], of one vector
    rotated_k = rotate(k.expand(1, 40, 1, 8), rope(40))[0, :, 0]
    scores = rotated_q @ rotated_k.T
    assert_same(scores[3:, 3:], scores[:-3, :-3])
    assert not torch.allclose(scores[0, 5], scores[5, 0])  # it knows before from after


def test_position_zero_is_not_rotated():
    x = randn64(1, 1, 2, 8)
    assert torch.equal(rotate(x, rope(1)), x)


def test_each_group_of_heads_reads_its_own_keys():
    q, k, v = queries_keys_values(1, 6)
    out = merge_heads(grouped_query_attention(q, k, v)).unflatten(-1, (4, 8))  # [1, 6, H, D]
    for head in range(4):
        group = slice(head // 2, head // 2 + 1)
        alone = grouped_query_attention(q[:, head : head + 1], k[:, group], v[:, group])
        assert_same(out[:, :, head], merge_heads(alone))


def test_heads_that_do_not_share_evenly_are_a_programming_mistake():
    uneven = StackConfig(hidden_size=8, intermediate_size=8, heads=3, kv_heads=2, head_dim=8)
    with pytest.raises(ValueError, match=r"heads \(3\) must be a multiple of kv_heads \(2\)"):
        SelfAttention(uneven, TORCH)


def formula(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor | None, causal: bool
) -> torch.Tensor:
    """Head by head, from the formula."""
    rows = []
    for head in range(q.shape[1]):
        kv_head = head * k.shape[1] // q.shape[1]
        scores = q[:, head] @ k[:, kv_head].mT / q.shape[-1] ** 0.5
        if bias is not None:
            scores = scores + bias[:, 0]
        if causal:
            future = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
            scores = scores.masked_fill(future, -torch.inf)
        rows.append(scores.softmax(dim=-1) @ v[:, kv_head])
    return torch.stack(rows, dim=1)


class CountingAttention:
    """torch's own, which notes how many key heads it was given; `old` as before 2.5."""

    def __init__(self, old: bool) -> None:
        self.old = old
        self.torch = torch.nn.functional.scaled_dot_product_attention
        self.kv_heads: list[int] = []

    def __call__(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, **more: Any):
        if self.old and "enable_gqa" in more:
            raise TypeError("got an unexpected keyword argument 'enable_gqa'")
        self.kv_heads.append(k.shape[1])
        return self.torch(q, k, v, **more)


@pytest.mark.parametrize(("biased", "causal"), [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("old", [False, True], ids=["this torch", "before 2.5"])
@pytest.mark.parametrize("kv_heads", [KV_HEADS, HEADS])
def test_query_heads_read_the_key_head_they_share(
    kv_heads: int, old: bool, biased: bool, causal: bool, monkeypatch: pytest.MonkeyPatch
):
    counting = CountingAttention(old or not attention.HAS_ENABLE_GQA)
    monkeypatch.setattr(attention.F, "scaled_dot_product_attention", counting)
    if old:
        monkeypatch.setattr(attention, "HAS_ENABLE_GQA", False)
    q = randn(2, HEADS, 5, HEAD_DIM, seed=1).double()
    k, v = (randn(2, kv_heads, 5, HEAD_DIM, seed=seed).double() for seed in (2, 3))
    bias = randn(2, 1, 5, 5, seed=4).double() if biased else None
    out = grouped_query_attention(q, k, v, bias, causal)
    torch.testing.assert_close(out, formula(q, k, v, bias, causal), rtol=0, atol=1e-9)
    repeated = HEADS if counting.old else kv_heads
    assert counting.kv_heads == [repeated]
