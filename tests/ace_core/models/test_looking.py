"""Chosen heads of cross-attention, while the layers compute what they always compute."""

import torch

from ace_core.models.looking import looks
from tests import toy
from tests.rounding import assert_same


def parts():
    decoder = toy.acestep().double().decoder
    x, context = toy.randn64(2, 9, 64), toy.randn64(1, 9, 128, seed=2)
    kv = decoder.cross_attention_kv(toy.randn64(1, 7, 64, seed=3))
    return decoder, decoder.enter(x, torch.tensor([0.5, 0.5]), context), kv


def test_every_place_shares_its_whole_attention_among_the_memory() -> None:
    decoder, entry, kv = parts()
    found = looks(decoder, entry, kv, {0: [0, 3], 4: [2]}, slice(None))
    assert found.shape == (2, 3, 7, 5)  # items, heads, places, tokens
    assert_same(found.sum(dim=2), torch.ones(2, 3, 5, dtype=torch.float64))


def test_only_the_places_that_are_asked_for_are_kept() -> None:
    decoder, entry, kv = parts()
    whole = looks(decoder, entry, kv, {1: [1]}, slice(None))
    part = looks(decoder, entry, kv, {1: [1]}, slice(2, 5))
    assert_same(part, whole[:, :, 2:5])


def test_heads_come_from_the_first_layer_on_and_each_is_its_own() -> None:
    decoder, entry, kv = parts()
    both = looks(decoder, entry, kv, {3: [1], 1: [0]}, slice(None))
    first = looks(decoder, entry, kv, {1: [0]}, slice(None))
    last = looks(decoder, entry, kv, {3: [1]}, slice(None))
    assert torch.equal(both, torch.cat((first, last), dim=1))


def test_layers_behind_the_last_chosen_one_are_not_run() -> None:
    decoder, entry, kv = parts()
    wanted = looks(decoder, entry, kv, {1: [0]}, slice(None))
    for layer in list(decoder.stack())[2:]:
        layer.scale_shift_table.data.fill_(torch.nan)
    assert torch.equal(looks(decoder, entry, kv, {1: [0]}, slice(None)), wanted)
