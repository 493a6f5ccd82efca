"""Logits to tokens, against loops over sorted lists."""

import math

import pytest
import torch

from ace_core.errors import InvalidRequestError
from ace_core.lm.picking import Picking, guided, kept, nucleus, pick

OFF = {"temperature": 1.0, "top_p": 1.0}


def logits_of(seed: int, rows: int = 3, width: int = 50) -> torch.Tensor:
    return torch.randn(rows, width, generator=torch.Generator().manual_seed(seed)) * 3


def brute_force(row: list[float], picking: Picking) -> set[int]:
    """The tokens that top-k, then min-p, then top-p leave, one decision at a time."""
    left = list(range(len(row)))
    row = [value / picking.temperature for value in row]
    if picking.top_k:
        least = sorted(row, reverse=True)[min(picking.top_k, len(row)) - 1]
        left = [i for i in left if row[i] >= least]
    best = max(row)
    left = [i for i in left if math.exp(row[i] - best) >= picking.min_p]
    total = math.fsum(math.exp(row[i]) for i in left)
    nucleus = []
    for i in sorted(left, key=lambda i: -row[i]):
        above = math.fsum(math.exp(row[j]) for j in left if row[j] > row[i]) / total
        if above <= picking.top_p:
            nucleus.append(i)
    return set(nucleus)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"top_p": 0.5},
        {"top_p": 0.01},
        {"top_p": 1.0},
        {"top_k": 1, "top_p": 1.0},
        {"top_k": 7},
        {"top_k": 500},
        {"min_p": 0.1, "top_p": 1.0},
        {"temperature": 1.7, "top_k": 20, "min_p": 0.02, "top_p": 0.8},
        {"temperature": 0.1},
    ],
)
def test_what_is_left_equals_brute_force(seed, settings):
    picking = Picking(**settings)
    logits = logits_of(seed)
    weights = kept(logits / picking.temperature, picking)
    for row, values in zip(weights, logits.tolist(), strict=True):
        assert set(row.nonzero()[:, 0].tolist()) == brute_force(values, picking)


def test_the_nucleus_of_many_tokens_equals_brute_force():
    weights = torch.rand(2, 20_000, generator=torch.Generator().manual_seed(0)).double()
    for row, least in zip(weights, nucleus(weights, 0.9), strict=True):
        inside = row[row >= least]
        assert inside.sum() >= 0.9 * row.sum()
        assert inside.sum() - inside.min() <= 0.9 * row.sum()


def test_ties_at_a_threshold_are_kept():
    logits = torch.tensor([[2.0, 1.0, 1.0, 1.0, 0.0]])
    assert kept(logits, Picking(top_k=2, **OFF)).nonzero()[:, 1].tolist() == [0, 1, 2, 3]
    assert kept(logits, Picking(temperature=1.0, top_p=0.5)).count_nonzero() == 4


def test_the_order_is_temperature_then_nucleus():
    """Hot logits are flat, so that more of them are in the nucleus."""
    logits = logits_of(1, rows=1)
    cold, hot = (
        kept(logits / t, Picking(temperature=t, top_p=0.8)).count_nonzero() for t in (0.5, 2.0)
    )
    assert hot > cold
    drawn = [
        {int(pick(logits, torch.tensor([key]), Picking(t, top_p=0.8))) for key in range(200)}
        for t in (0.5, 2.0)
    ]
    assert len(drawn[1]) > len(drawn[0])


def test_a_masked_token_is_never_picked_however_likely():
    logits = logits_of(2, rows=1)
    logits[0, 7] = 1e4
    mask = torch.ones(1, 50, dtype=torch.bool)
    mask[0, 7] = False
    keys = torch.arange(300)
    hot = Picking(temperature=2.0, top_p=1.0)
    picked = pick(logits.expand(300, -1), keys, hot, mask.expand(300, -1))
    assert 7 not in picked.tolist()
    assert int(pick(logits, keys[:1], Picking(temperature=0), mask)) != 7
    assert set(pick(logits.expand(300, -1), keys, hot).tolist()) == {7}


def test_temperature_0_takes_the_likeliest():
    logits = logits_of(3)
    assert torch.equal(pick(logits, torch.arange(3), Picking(temperature=0)), logits.argmax(-1))


def test_guidance_leads_away_from_the_unconditional_logits_in_float32():
    with_, without = torch.tensor([[3.0, -1.0]]), torch.tensor([[1.0, 1.0]])
    assert guided(with_, without, 2.0).tolist() == [[5.0, -3.0]]
    assert guided(with_, without, 1.0).tolist() == [[3.0, -1.0]]
    fine = torch.tensor([[256.0]], dtype=torch.bfloat16)
    step = torch.tensor([[255.0]], dtype=torch.bfloat16)
    assert guided(fine, step, 1.5).tolist() == [[256.5]]  # bfloat16 would round to 256


def test_written_tokens_are_made_less_likely_by_the_penalty():
    logits = torch.tensor([[4.0, 3.0, -1.0, -1.5]])
    keys = torch.zeros(1, dtype=torch.int64)
    seen = torch.tensor([[True, False, True, False]])
    greedy = {"temperature": 0.0}
    assert int(pick(logits, keys, Picking(**greedy), seen=seen)) == 0
    assert int(pick(logits, keys, Picking(**greedy, repetition_penalty=1.5), seen=seen)) == 1
    only_negative = torch.tensor([[False, False, True, True]])
    both_negative = pick(
        logits, keys, Picking(**greedy, repetition_penalty=2.0), only_negative,
        torch.tensor([[False, False, True, False]]),
    )  # fmt: skip
    assert int(both_negative) == 3  # -1 * 2 is below -1.5


def test_each_row_is_picked_from_its_own_logits():
    logits, keys = logits_of(4, rows=6), torch.arange(6)
    together = pick(logits, keys, Picking())
    alone = [int(pick(logits[i : i + 1], keys[i : i + 1], Picking())) for i in range(6)]
    assert together.tolist() == alone


@pytest.mark.parametrize(
    ("setting", "value", "allowed"),
    [
        ("temperature", -0.1, "0 to 2"),
        ("temperature", 2.1, "0 to 2"),
        ("temperature", math.nan, "0 to 2"),
        ("top_p", 0.0, "above 0"),
        ("top_p", 1.5, "up to 1"),
        ("top_k", -1, "0"),
        ("min_p", 1.0, "below 1"),
        ("min_p", -0.1, "below 1"),
        ("repetition_penalty", 0.0, "above 0"),
        ("repetition_penalty", math.inf, "above 0"),
    ],
)
def test_settings_out_of_range_are_refused_with_the_range(setting, value, allowed):
    with pytest.raises(InvalidRequestError, match=rf"`{setting}` is .*{allowed}"):
        Picking(**{setting: value})
