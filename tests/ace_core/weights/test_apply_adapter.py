"""Adapters on a loaded model: what they add, and that the model is itself again afterwards."""

import pytest
import torch
from torch import nn

from ace_core.models.acestep import AceStepModel
from ace_core.models.int8 import Int8Linear, dequantize_rows
from ace_core.models.ops import Ops
from ace_core.weights.apply_adapter import Strength, adapted, target_shapes
from ace_core.weights.lora import Adapter, read_adapter
from tests.adapters import CASES, LIMIT, file_of, golden, velocity
from tests.parity import ours
from tests.rounding import difference

QUERY = "layers.0.self_attn.q_proj"  # as adapters name it
Q = f"decoder.{QUERY}.weight"


def built(ops: Ops | None = None, dtype: torch.dtype = torch.float64) -> AceStepModel:
    model = AceStepModel(ours.config(xl=False), ops or Ops())
    model.load_state_dict(ours.weights(AceStepModel(ours.config(xl=False)), "2b"))
    return model.to(dtype).requires_grad_(False).eval()


def read(name: str, model: nn.Module) -> Adapter:
    shapes = {key: tuple(weight.shape) for key, weight in model.named_parameters()}
    return read_adapter(file_of(name), target_shapes(shapes))


@pytest.mark.parametrize("case", CASES)
def test_a_model_in_the_block_is_the_official_one_with_its_adapters(case: str):
    model = built()
    row = [Strength(read(name, model), strength) for name, strength in CASES[case]]
    with adapted(model, row):
        assert difference(velocity(model.decoder), golden()[case]) < LIMIT
    assert difference(velocity(model.decoder), golden()["none"]) < LIMIT


@pytest.mark.parametrize("fails", [False, True])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_afterwards_every_tensor_is_the_one_that_it_was(dtype: torch.dtype, fails: bool):
    model = built(dtype=dtype)
    before = {name: (weight, weight.clone()) for name, weight in model.named_parameters()}
    for _ in range(3):
        try:
            with adapted(model, [Strength(read("lora_alpha", model), 0.7)]):
                assert not torch.equal(model.get_parameter(Q), before[Q][1])
                if fails:
                    raise RuntimeError("while sampling")
        except RuntimeError:
            assert fails
    after = dict(model.named_parameters())
    assert after.keys() == before.keys()
    for name, (weight, values) in before.items():
        assert after[name] is weight
        assert torch.equal(weight, values)


def test_what_cannot_be_applied_leaves_the_model_as_it_was():
    """The second adapter is of another shape: the first is taken off again."""
    model = built()
    good, before = read("lora_alpha", model), model.get_parameter(Q)
    wrong = Adapter({"layers.0.mlp.down_proj": good.deltas[QUERY]}, (), "")
    row = [Strength(good, 1.0), Strength(wrong, 1.0)]
    with pytest.raises(RuntimeError), adapted(model, row):
        pytest.fail("the block was entered")
    assert model.get_parameter(Q) is before


def test_int8_rows_are_quantised_anew_and_put_back():
    model = built(Ops(quantized=Int8Linear), torch.float32)
    layer = model.get_submodule(f"decoder.{QUERY}")
    before = dict(layer._parameters)
    adapter = read("lora_alpha", model)
    whole = dequantize_rows(before["weight"], before["weight_scale"], torch.float32)
    wanted = adapter.deltas[QUERY].added(whole, 1.0)
    with adapted(model, [Strength(adapter, 1.0)]):
        held = layer.get_parameter("weight")
        assert held.dtype is torch.int8
        scale = layer.get_parameter("weight_scale")
        step = scale[:, None]
        assert ((dequantize_rows(held, scale, torch.float32) - wanted).abs() <= step * 0.501).all()
        assert not torch.equal(held, before["weight"])
    for name in ("weight", "weight_scale"):
        assert layer._parameters[name] is before[name]


def test_without_adapters_nothing_is_replaced():
    model = built()
    before = dict(model.named_parameters())
    with adapted(model, []):
        assert all(weight is before[name] for name, weight in model.named_parameters())
