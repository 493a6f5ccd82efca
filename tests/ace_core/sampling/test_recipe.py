"""Noise and seeds: an item depends on its own seed and on nothing else."""

import pytest
import torch

from ace_core.constants import SEED_RANGE
from ace_core.errors import InvalidScheduleError
from ace_core.sampling.recipe import check_seed, mix_noise, noise, parse_seeds, sde_noise, seeds_for


def test_noise_of_an_item_is_independent_of_the_batch():
    together = noise([7, 8, 2**64 - 1], 13)
    assert together.shape == (3, 13, 64) and together.dtype == torch.float32
    for item, seed in enumerate([7, 8, 2**64 - 1]):
        assert torch.equal(together[item : item + 1], noise([seed], 13))
    assert not torch.equal(together[0], together[1])


def test_noise_leaves_the_global_generator_alone():
    state = torch.get_rng_state()
    noise([1], 5)
    next(sde_noise([1], 5))
    assert torch.equal(torch.get_rng_state(), state)


def test_sde_noise_is_repeatable_per_item_and_never_the_start():
    both, alone = sde_noise([3, 4], 9), sde_noise([4], 9)
    draws = [(next(both), next(alone)) for _ in range(3)]
    for in_batch, single in draws:
        assert torch.equal(in_batch[1:], single)
    seen = [noise([4], 9), *(single for _, single in draws)]
    for place, one in enumerate(seen):
        assert all(not torch.equal(one, other) for other in seen[place + 1 :])


@pytest.mark.parametrize("seed", [-1, 2**64, 1.5, True, "7"])
def test_a_seed_out_of_range_is_refused(seed):
    with pytest.raises(InvalidScheduleError, match="whole number from 0 to 18446744073709551615"):
        check_seed(seed)
    with pytest.raises(InvalidScheduleError):
        noise([seed], 3)


@pytest.mark.parametrize("seed", SEED_RANGE)
def test_the_ends_of_the_seed_range_are_seeds(seed: int):
    assert check_seed(seed) == seed
    assert torch.isfinite(noise([seed], 3)).all()


def test_given_seeds_come_first_and_the_rest_is_drawn():
    seeds = seeds_for(5, [42, None, 7])
    assert seeds[0] == 42 and seeds[2] == 7
    assert len(set(seeds)) == 5
    assert all(0 <= seed < 2**32 for seed in seeds)
    assert seeds_for(5, [42, None, 7]) != seeds  # system randomness


def test_padding_is_repeatable_when_derived_from_a_seed():
    assert seeds_for(8, [42], rng_seed=42) == seeds_for(8, [42], rng_seed=42)
    assert seeds_for(8, [42], rng_seed=42) != seeds_for(8, [42], rng_seed=43)


def test_a_larger_batch_keeps_the_seeds_of_a_smaller_one():
    assert seeds_for(8, [42], rng_seed=42)[:3] == seeds_for(3, [42], rng_seed=42)


@pytest.mark.parametrize("batch", [0, 9, -1])
def test_a_batch_outside_one_to_eight_is_refused(batch: int):
    with pytest.raises(InvalidScheduleError, match="batch size to 1 to 8"):
        seeds_for(batch)


def test_more_seeds_than_items_are_refused():
    with pytest.raises(InvalidScheduleError, match="3 seeds were given for 2 items"):
        seeds_for(2, [1, 2, 3])


def test_a_bad_seed_in_a_list_is_refused():
    with pytest.raises(InvalidScheduleError, match="-1 is not a seed"):
        seeds_for(2, [-1])


def test_variance_zero_and_one_are_the_two_draws():
    first, second = noise([1], 9), noise([2], 9)
    assert torch.equal(mix_noise(first, second, 0), first)
    assert torch.equal(mix_noise(first, second, 1), second)


def test_a_variation_keeps_unit_variance_and_turns_towards_the_second_draw():
    first, second = noise([1], 4000), noise([2], 4000)
    mixed = mix_noise(first, second, 0.2)
    assert mixed.std().item() == pytest.approx(1, abs=0.01)
    # cos and sin of 18 degrees
    assert (mixed * first).mean().item() == pytest.approx(0.951, abs=0.01)
    assert (mixed * second).mean().item() == pytest.approx(0.309, abs=0.01)


@pytest.mark.parametrize("variance", [-0.1, 1.1, float("nan")])
def test_a_variance_outside_zero_to_one_is_refused(variance: float):
    with pytest.raises(InvalidScheduleError, match="outside 0 to 1"):
        mix_noise(noise([1], 2), noise([2], 2), variance)


def test_seeds_are_numbers_and_minus_one_or_random_is_drawn():
    assert parse_seeds("7, -1, 18446744073709551615 random") == [7, None, 2**64 - 1, None]


@pytest.mark.parametrize("text", ["7.5", "-2", "piano", "18446744073709551616"])
def test_what_is_no_seed_is_refused(text):
    with pytest.raises(InvalidScheduleError, match="is not a seed"):
        parse_seeds(text)
