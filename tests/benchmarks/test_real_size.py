"""Random weights of the benchmarks: of their own, or shared by the layers of a stack."""

import torch

from ace_core.models.acestep import AceStepModel
from ace_core.models.ops import Ops
from benchmarks.real_size import randomized
from tests import toy


def made(shared: bool) -> dict[str, torch.Tensor]:
    model = AceStepModel(toy.dit_config(), Ops(device="meta"))
    return randomized(model, torch.float32, shared).state_dict()


def test_layers_that_share_hold_one_tensor_and_stacks_do_not():
    weights = made(shared=True)
    first, last = (weights[f"decoder.layers.{n}.mlp.up_proj.weight"] for n in (0, 4))
    assert first.data_ptr() == last.data_ptr()
    other = weights["encoder.lyric_encoder.layers.0.mlp.up_proj.weight"]
    assert first.data_ptr() != other.data_ptr()


def test_layers_have_weights_of_their_own_by_default():
    weights = made(shared=False)
    first, last = (weights[f"decoder.layers.{n}.mlp.up_proj.weight"] for n in (0, 4))
    assert not torch.equal(first, last)
