"""The race: fair, repeatable, and deaf to rounding."""

import torch

from ace_core.lm.race import race, uniform


def keys_of(count: int) -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.empty(count, dtype=torch.int64).random_(generator=generator)


def test_each_token_wins_as_often_as_its_weight_says():
    weights = torch.tensor([[0.0, 2.0, 0.0, 1.0, 1.0, 0.0]])
    won = race(weights.expand(20_000, -1), keys_of(20_000)).bincount(minlength=6) / 20_000
    expected = torch.tensor([0.0, 0.5, 0.0, 0.25, 0.25, 0.0])
    torch.testing.assert_close(won, expected, rtol=0, atol=0.015)  # four standard deviations
    assert won[[0, 2, 5]].tolist() == [0, 0, 0]


def test_the_clocks_are_uniform_and_independent_of_their_neighbours():
    clocks = uniform(keys_of(200), torch.arange(500))
    assert float(clocks.min()) > 0
    assert float(clocks.max()) < 1
    assert abs(float(clocks.mean()) - 0.5) < 0.005
    assert abs(float(clocks.var()) - 1 / 12) < 0.001
    pairs = torch.corrcoef(torch.stack([clocks[:, :-1].flatten(), clocks[:, 1:].flatten()]))
    rows = torch.corrcoef(torch.stack([clocks[:-1].flatten(), clocks[1:].flatten()]))
    assert abs(float(pairs[0, 1])) < 0.02
    assert abs(float(rows[0, 1])) < 0.02


def test_neighbouring_keys_choose_differently():
    weights = torch.ones(1, 1000).expand(500, -1)
    assert len(set(race(weights, torch.arange(500)).tolist())) > 350


def test_a_token_has_the_same_clock_wherever_its_column_stands():
    weights = torch.rand(50, 300, generator=torch.Generator().manual_seed(2))
    order = torch.randperm(300, generator=torch.Generator().manual_seed(3))
    keys, ids = keys_of(50), torch.arange(1000, 1300)
    straight = ids[race(weights, keys, ids)]
    shuffled = ids[order][race(weights[:, order], keys, ids[order])]
    assert torch.equal(straight, shuffled)


def test_weights_that_differ_in_their_last_bits_choose_the_same_token():
    weights = torch.rand(400, 64_000, generator=torch.Generator().manual_seed(4))
    noisy = weights * (1 + 1e-6 * torch.randn(400, 64_000))
    keys = keys_of(400)
    assert torch.equal(race(weights, keys), race(noisy, keys))
