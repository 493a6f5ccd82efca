"""Logits to tokens, against loops over sorted lists; Gumbel-max; masks of allowed tokens."""

import math

import pytest
import torch

from ace_core.errors import InvalidRequestError
from ace_core.lm.grammar import Allowed
from ace_core.lm.metadata import Metadata, think_block
from ace_core.lm.sampling import (
    MaskCache,
    SamplingParams,
    apply_cfg,
    filter_probs,
    gumbel_max,
    logit_indices,
    sample_token,
    top_p_threshold,
    uniform,
)

OFF = {"temperature": 1.0, "top_p": 1.0}


def logits_of(seed: int, rows: int = 3, width: int = 50) -> torch.Tensor:
    return torch.randn(rows, width, generator=torch.Generator().manual_seed(seed)) * 3


def brute_force(row: list[float], params: SamplingParams) -> set[int]:
    """The tokens that top-k, then min-p, then top-p leave, one decision at a time."""
    left = list(range(len(row)))
    row = [value / params.temperature for value in row]
    if params.top_k:
        least = sorted(row, reverse=True)[min(params.top_k, len(row)) - 1]
        left = [i for i in left if row[i] >= least]
    best = max(row)
    left = [i for i in left if math.exp(row[i] - best) >= params.min_p]
    total = math.fsum(math.exp(row[i]) for i in left)
    nucleus = []
    for i in sorted(left, key=lambda i: -row[i]):
        above = math.fsum(math.exp(row[j]) for j in left if row[j] > row[i]) / total
        if above <= params.top_p:
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
def test_filtered_probabilities_equal_brute_force(seed, settings):
    params = SamplingParams(**settings)
    logits = logits_of(seed)
    probs = filter_probs(logits / params.temperature, params)
    for row, values in zip(probs, logits.tolist(), strict=True):
        assert set(row.nonzero()[:, 0].tolist()) == brute_force(values, params)


def test_the_nucleus_of_many_tokens_equals_brute_force():
    probs = torch.rand(2, 20_000, generator=torch.Generator().manual_seed(0)).double()
    for row, least in zip(probs, top_p_threshold(probs, 0.9), strict=True):
        inside = row[row >= least]
        assert inside.sum() >= 0.9 * row.sum()
        assert inside.sum() - inside.min() <= 0.9 * row.sum()


def test_ties_at_a_threshold_are_kept():
    logits = torch.tensor([[2.0, 1.0, 1.0, 1.0, 0.0]])
    kept = filter_probs(logits, SamplingParams(top_k=2, **OFF)).nonzero()[:, 1]
    assert kept.tolist() == [0, 1, 2, 3]
    assert filter_probs(logits, SamplingParams(temperature=1.0, top_p=0.5)).count_nonzero() == 4


def test_the_order_is_temperature_then_nucleus():
    """Hot logits are flat, so that more of them are in the nucleus."""
    logits = logits_of(1, rows=1)
    cold, hot = (
        filter_probs(logits / t, SamplingParams(temperature=t, top_p=0.8)).count_nonzero()
        for t in (0.5, 2.0)
    )
    assert hot > cold
    drawn = [
        {
            int(sample_token(logits, torch.tensor([key]), SamplingParams(t, top_p=0.8)))
            for key in range(200)
        }
        for t in (0.5, 2.0)
    ]
    assert len(drawn[1]) > len(drawn[0])


def test_a_masked_token_is_never_drawn_however_likely():
    logits = logits_of(2, rows=1)
    logits[0, 7] = 1e4
    mask = torch.ones(1, 50, dtype=torch.bool)
    mask[0, 7] = False
    keys = torch.arange(300)
    hot = SamplingParams(temperature=2.0, top_p=1.0)
    drawn = sample_token(logits.expand(300, -1), keys, hot, mask.expand(300, -1))
    assert 7 not in drawn.tolist()
    assert int(sample_token(logits, keys[:1], SamplingParams(temperature=0), mask)) != 7
    assert set(sample_token(logits.expand(300, -1), keys, hot).tolist()) == {7}


def test_temperature_0_takes_the_likeliest():
    logits = logits_of(3)
    greedy = sample_token(logits, torch.arange(3), SamplingParams(temperature=0))
    assert torch.equal(greedy, logits.argmax(-1))


def test_cfg_is_computed_in_float32():
    cond, uncond = torch.tensor([[3.0, -1.0]]), torch.tensor([[1.0, 1.0]])
    assert apply_cfg(cond, uncond, 2.0).tolist() == [[5.0, -3.0]]
    assert apply_cfg(cond, uncond, 1.0).tolist() == [[3.0, -1.0]]
    fine = torch.tensor([[256.0]], dtype=torch.bfloat16)
    step = torch.tensor([[255.0]], dtype=torch.bfloat16)
    assert apply_cfg(fine, step, 1.5).tolist() == [[256.5]]  # bfloat16 would round to 256


def test_repeated_tokens_are_penalised():
    logits = torch.tensor([[4.0, 3.0, -1.0, -1.5]])
    keys = torch.zeros(1, dtype=torch.int64)
    repeated = torch.tensor([[True, False, True, False]])
    greedy = {"temperature": 0.0}
    assert int(sample_token(logits, keys, SamplingParams(**greedy), repeated=repeated)) == 0
    penalised = SamplingParams(**greedy, repetition_penalty=1.5)
    assert int(sample_token(logits, keys, penalised, repeated=repeated)) == 1
    only_negative = torch.tensor([[False, False, True, True]])
    both_negative = sample_token(
        logits, keys, SamplingParams(**greedy, repetition_penalty=2.0), only_negative,
        torch.tensor([[False, False, True, False]]),
    )  # fmt: skip
    assert int(both_negative) == 3  # -1 * 2 is below -1.5


def test_each_row_is_drawn_from_its_own_logits():
    logits, keys = logits_of(4, rows=6), torch.arange(6)
    together = sample_token(logits, keys, SamplingParams())
    alone = [
        int(sample_token(logits[i : i + 1], keys[i : i + 1], SamplingParams())) for i in range(6)
    ]
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
        SamplingParams(**{setting: value})


def keys_of(count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.empty(count, dtype=torch.int64).random_(generator=generator)


def test_each_token_is_drawn_in_proportion_to_its_probability():
    probs = torch.tensor([[0.0, 2.0, 0.0, 1.0, 1.0, 0.0]])
    drawn = gumbel_max(probs.expand(20_000, -1), keys_of(20_000)).bincount(minlength=6) / 20_000
    expected = torch.tensor([0.0, 0.5, 0.0, 0.25, 0.25, 0.0])
    torch.testing.assert_close(drawn, expected, rtol=0, atol=0.015)  # four standard deviations
    assert drawn[[0, 2, 5]].tolist() == [0, 0, 0]


def test_the_exponential_form_is_the_draw_with_gumbel_noise():
    probs = torch.rand(500, 300, generator=torch.Generator().manual_seed(5)).double()
    noise = -(-uniform(keys_of(500), torch.arange(300)).log()).log()
    assert torch.equal(gumbel_max(probs, keys_of(500)), (probs.log() + noise).argmax(dim=-1))


def test_the_noise_is_uniform_and_independent_of_its_neighbours():
    noise = uniform(keys_of(200), torch.arange(500))
    assert float(noise.min()) > 0
    assert float(noise.max()) < 1
    assert abs(float(noise.mean()) - 0.5) < 0.005
    assert abs(float(noise.var()) - 1 / 12) < 0.001
    pairs = torch.corrcoef(torch.stack([noise[:, :-1].flatten(), noise[:, 1:].flatten()]))
    rows = torch.corrcoef(torch.stack([noise[:-1].flatten(), noise[1:].flatten()]))
    assert abs(float(pairs[0, 1])) < 0.02
    assert abs(float(rows[0, 1])) < 0.02


def test_neighbouring_keys_draw_differently():
    probs = torch.ones(1, 1000).expand(500, -1)
    assert len(set(gumbel_max(probs, torch.arange(500)).tolist())) > 350


def test_a_token_has_the_same_noise_in_any_column():
    probs = torch.rand(50, 300, generator=torch.Generator().manual_seed(2))
    order = torch.randperm(300, generator=torch.Generator().manual_seed(3))
    keys, ids = keys_of(50), torch.arange(1000, 1300)
    straight = ids[gumbel_max(probs, keys, ids)]
    shuffled = ids[order][gumbel_max(probs[:, order], keys, ids[order])]
    assert torch.equal(straight, shuffled)


def test_probabilities_that_differ_in_their_last_bits_draw_the_same_token():
    probs = torch.rand(400, 64_000, generator=torch.Generator().manual_seed(4))
    noisy = probs * (1 + 1e-6 * torch.randn(400, 64_000))
    keys = keys_of(400)
    assert torch.equal(gumbel_max(probs, keys), gumbel_max(noisy, keys))


def test_a_mask_is_true_exactly_where_tokens_are_allowed():
    masks = MaskCache(range(10, 20), "cpu")
    mask = masks.stack([frozenset({10, 13, 19}), range(12, 14)])
    assert mask.tolist() == [
        [token in (10, 13, 19) for token in range(10, 20)],
        [token in (12, 13) for token in range(10, 20)],
    ]


def test_there_is_no_mask_where_every_token_is_allowed():
    masks = MaskCache(range(10, 20), "cpu")
    assert masks.stack([range(10, 20), range(10, 20)]) is None
    assert masks.stack([range(10, 20), range(10, 19)]).sum() == 19


def test_tokens_outside_the_vocab_range_have_no_column():
    assert logit_indices(frozenset({3, 12, 10, 40}), range(10, 20)).tolist() == [0, 2]


def test_a_mask_is_made_once():
    masks = MaskCache(range(5), "cpu")
    first, again = masks.stack([frozenset({1})]), masks.stack([frozenset({1})])
    assert torch.equal(first, again)
    assert len(masks._masks) == 1


def test_two_plans_share_the_masks_of_their_large_sets(lm):
    """A plan's masks are as wide as the vocabulary; a second plan makes none."""
    written = Metadata(80, "soft", 20, key="C major", language="en", time_signature=4)

    def plan() -> list[Allowed]:
        state, sets = lm.grammar.reply(Metadata(), skip=("genres",)), []
        for token in lm.vocabulary.encode(f"{think_block(written)}la"):
            assert token in state.allowed
            # the test's vocabulary is small
            sets += [] if len(state.allowed) <= 60 else [state.allowed]
            state = state.advance(token)
        return sets

    first, second = plan(), plan()
    assert len(first) == len(" soft\n") + len("la")
    assert all(a is b for a, b in zip(first, second, strict=True))
    assert lm.mask_cache(range(9)) is lm.mask_cache(range(9))
