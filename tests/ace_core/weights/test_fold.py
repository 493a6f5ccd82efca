import pytest
import torch
from torch import nn

from ace_core.weights.fold import fold_weight_norm, folded_shapes, unfold_weight_norm
from tests.rounding import assert_same


def normed(layer: nn.Module) -> nn.Module:
    """The layer under torch's own weight norm, with lengths that are not its weights' own."""
    wrapped = nn.utils.parametrizations.weight_norm(layer)
    lengths = wrapped.get_parameter("parametrizations.weight.original0")
    lengths.data *= torch.rand_like(lengths) + 0.5
    return wrapped


LAYERS = {
    "conv": lambda: nn.Conv1d(5, 7, 3),
    "transposed": lambda: nn.ConvTranspose1d(5, 7, 4, stride=2),
}


@pytest.mark.parametrize("kind", LAYERS)
def test_a_folded_weight_is_bit_for_bit_the_one_torch_would_use(kind: str):
    layer = normed(LAYERS[kind]())
    folded = fold_weight_norm(nn.ModuleDict({"a": layer}).state_dict())
    assert set(folded) == {"a.bias", "a.weight"}
    assert torch.equal(folded["a.weight"], layer.weight)


@pytest.mark.parametrize("kind", LAYERS)
def test_both_spellings_of_weight_norm_fold_to_the_same_weight(kind: str):
    layer = normed(LAYERS[kind]())
    g, v = (layer.get_parameter(f"parametrizations.weight.original{i}") for i in (0, 1))
    new = {"a.parametrizations.weight.original0": g, "a.parametrizations.weight.original1": v}
    old = {"a.weight_g": g, "a.weight_v": v}
    assert torch.equal(fold_weight_norm(new)["a.weight"], fold_weight_norm(old)["a.weight"])
    assert torch.equal(fold_weight_norm(old)["a.weight"], layer.weight)


def test_folding_half_precision_is_done_in_float32():
    v, g = torch.randn(16, 300, 7), torch.rand(16, 1, 1) + 0.5
    exact = g.bfloat16().double() * v.bfloat16().double()
    exact = exact / v.bfloat16().double().flatten(1).norm(dim=1)[:, None, None]
    folded = fold_weight_norm({"a.weight_v": v.bfloat16(), "a.weight_g": g.bfloat16()})["a.weight"]
    assert folded.dtype is torch.bfloat16
    half_a_step = 2**-8 * exact.abs()  # of 8 binary digits; float32 before it adds 1e-7
    assert ((folded.double() - exact).abs() <= half_a_step * (1 + 1e-4)).all()


def test_folding_writes_to_nothing_it_was_given():
    state = {"a.weight_g": torch.rand(4, 1, 1), "a.weight_v": torch.randn(4, 3, 5)}
    before = {name: tensor.clone() for name, tensor in state.items()}
    fold_weight_norm(state)
    assert all(torch.equal(state[name], before[name]) for name in before)


def test_other_entries_pass_through_untouched():
    bias = torch.randn(3)
    assert fold_weight_norm({"a.bias": bias})["a.bias"] is bias


def test_unfolding_and_folding_again_gives_the_weight_back():
    weight = torch.randn(6, 5, 3, dtype=torch.float64)
    apart = unfold_weight_norm({"a.weight": weight, "a.bias": torch.zeros(6)})
    assert set(apart) == {"a.weight_g", "a.weight_v", "a.bias"}
    assert apart["a.weight_g"].shape == (6, 1, 1)
    assert_same(fold_weight_norm(apart)["a.weight"], weight)


def test_folded_shapes_are_the_shapes_of_the_folded_weights():
    state = nn.Sequential(normed(nn.Conv1d(5, 7, 3)), normed(nn.ConvTranspose1d(7, 3, 4)))
    tensors = state.state_dict()
    promised = folded_shapes({name: tuple(tensor.shape) for name, tensor in tensors.items()})
    assert promised == {n: tuple(t.shape) for n, t in fold_weight_norm(tensors).items()}
