import pytest
import torch

from ace_core.models.attention import Attention, attend, rope_table, rotate
from ace_core.models.config import StackConfig
from ace_core.models.ops import TORCH
from ace_core.models.sliding import Window, dense_bias, make_window
from tests.rounding import assert_same
from tests.toy import fill, randn64

SIZE = StackConfig(hidden_size=32, intermediate_size=32, heads=4, kv_heads=2, head_dim=8, window=8)


def queries_keys_values(batch: int, length: int) -> tuple[torch.Tensor, ...]:
    return (
        randn64(batch, 4, length, 8, seed=1),
        randn64(batch, 2, length, 8, seed=2),
        randn64(batch, 2, length, 8, seed=3),
    )


@pytest.mark.parametrize("length", [25, 31, 32, 33, 47, 100])
@pytest.mark.parametrize("batch", [1, 3])
def test_banded_attention_equals_dense_attention(batch: int, length: int):
    q, k, v = queries_keys_values(batch, length)
    banded = make_window(length, 8, torch.empty(batch, length, 32, dtype=torch.float64))
    assert banded is not None and banded.blocks
    dense = attend(q, k, v, dense_bias(length, 8, q))
    joined = banded.join(attend(*banded.split(q, k, v), banded.bias))
    assert_same(joined, dense)
    assert joined.is_contiguous()


@pytest.mark.parametrize("length", [10, 24])
def test_a_short_sequence_is_masked_as_a_whole(length: int):
    short = make_window(length, 8, torch.empty(1, length, 32))
    assert isinstance(short, Window) and not short.blocks
    seen = short.bias[0, 0] == 0
    assert all(seen[i, j] == (abs(i - j) <= 8) for i in range(length) for j in range(length))


def test_a_sequence_inside_the_window_needs_no_mask():
    assert make_window(9, 8, torch.empty(1, 9, 32)) is None
    assert make_window(10, 8, torch.empty(1, 10, 32)) is not None


@pytest.mark.parametrize("length", [20, 60])  # dense and banded
def test_a_frame_outside_the_window_changes_nothing(length: int):
    attention = fill(Attention(SIZE, TORCH)).double()
    x = randn64(1, length, 32)
    far = x.clone()
    far[:, -1] += 100.0
    rope = rope_table(length, SIZE, x)
    window = make_window(length, SIZE.window, x)
    before, after = attention(x, rope, window), attention(far, rope, window)
    edge = length - 1 - SIZE.window  # the first query that sees the last frame
    assert_same(before[:, :edge], after[:, :edge])
    assert not torch.allclose(before[:, edge], after[:, edge])


def test_scores_after_rotation_depend_on_the_distance_alone():
    rope = rope_table(40, SIZE, torch.empty(0, dtype=torch.float64))
    q, k = randn64(8), randn64(8, seed=2)
    turned_q = rotate(q.expand(1, 40, 1, 8), rope)[0, :, 0]  # [40, 8], the same vector everywhere
    turned_k = rotate(k.expand(1, 40, 1, 8), rope)[0, :, 0]
    scores = turned_q @ turned_k.T
    assert_same(scores[3:, 3:], scores[:-3, :-3])
    assert not torch.allclose(scores[0, 5], scores[5, 0])  # it knows before from after


def test_the_first_place_is_not_turned():
    x = randn64(1, 1, 2, 8)
    assert torch.equal(rotate(x, rope_table(1, SIZE, x)), x)


def test_each_group_of_heads_reads_its_own_keys():
    q, k, v = queries_keys_values(1, 6)
    out = attend(q, k, v).unflatten(-1, (4, 8))  # [1, 6, H, D]
    for head in range(4):
        group = slice(head // 2, head // 2 + 1)
        alone = attend(q[:, head : head + 1], k[:, group], v[:, group])
        assert_same(out[:, :, head], alone)


def test_heads_that_do_not_share_evenly_are_a_programming_mistake():
    uneven = StackConfig(hidden_size=8, intermediate_size=8, heads=3, kv_heads=2, head_dim=8)
    with pytest.raises(ValueError, match=r"heads \(3\) must be a multiple of kv_heads \(2\)"):
        Attention(uneven, TORCH)
