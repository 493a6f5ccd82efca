"""Maps of chosen heads of cross-attention, taken while the layers compute what they always do."""

from collections.abc import Mapping, Sequence

import torch

from ace_core.models.dit import AttentionCapture, DiT
from tests import toy
from tests.rounding import assert_same

ALL = slice(None)


def decoder() -> DiT:
    return toy.acestep().double().decoder


def maps(model: DiT, heads: Mapping[int, Sequence[int]], tokens: slice = ALL) -> torch.Tensor:
    x, context = toy.randn64(2, 9, 64), toy.randn64(1, 9, 128, seed=2)
    kv = model.cross_attention_kv(toy.randn64(1, 7, 64, seed=3))
    capture = AttentionCapture(heads, tokens)
    return model.attention_maps(x, torch.tensor([0.5, 0.5]), context, kv, capture)


def test_every_token_of_the_latent_gives_the_conditions_its_whole_attention() -> None:
    found = maps(decoder(), {0: [0, 3], 4: [2]})
    assert found.shape == (2, 3, 7, 5)  # items, heads, tokens of the conditions and of the latent
    assert_same(found.sum(dim=2), torch.ones(2, 3, 5, dtype=torch.float64))


def test_only_the_tokens_that_are_chosen_are_kept() -> None:
    whole = maps(decoder(), {1: [1]})
    assert_same(maps(decoder(), {1: [1]}, slice(2, 5)), whole[:, :, 2:5])


def test_heads_come_from_the_first_layer_on_and_each_is_its_own() -> None:
    both = maps(decoder(), {3: [1], 1: [0]})
    first, last = maps(decoder(), {1: [0]}), maps(decoder(), {3: [1]})
    assert torch.equal(both, torch.cat((first, last), dim=1))


def test_what_follows_the_last_chosen_head_is_not_run() -> None:
    model = decoder()
    wanted = maps(model, {1: [0]})
    model.layers[1].mlp.down_proj = None
    for layer in model.layers[2:]:
        layer.scale_shift_table.data.fill_(torch.nan)
    assert torch.equal(maps(model, {1: [0]}), wanted)
