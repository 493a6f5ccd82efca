"""The estimate of a forward's memory beside the tensors that are really alive in one."""

import weakref
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from ace_core.models import row_blocks
from ace_core.models.config import DiTConfig, StackConfig
from ace_core.models.dit import WORKSPACE, DiT, memory_estimate
from ace_core.models.half import residual_dtype
from tests.toy import dit_config, randn


class Alive(TorchDispatchMode):
    """Counts the bytes of tensors that are made while it is on, and the most at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.sizes: dict[int, int] = {}
        self.outside: set[int] = set()
        self.most = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        for each in tree_leaves((args, kwargs)):
            if isinstance(each, torch.Tensor) and each.untyped_storage()._cdata not in self.sizes:
                self.outside.add(each.untyped_storage()._cdata)
        out = func(*args, **(kwargs or {}))
        for each in tree_leaves(out):
            if isinstance(each, torch.Tensor):
                self._add(each.untyped_storage())
        return out

    def _add(self, storage: torch.UntypedStorage) -> None:
        key = storage._cdata
        if key in self.sizes or key in self.outside:
            return
        self.sizes[key] = storage.nbytes()
        weakref.finalize(storage, self.sizes.pop, key, None)
        self.most = max(self.most, sum(self.sizes.values()))


def config_2b_proportions() -> DiTConfig:
    """The proportions of the 2B model: at toy size the masks would outweigh the rest."""
    stack = StackConfig(hidden_size=512, intermediate_size=1536, heads=4, kv_heads=2, head_dim=128)
    base = dit_config()
    fields = {name: getattr(base, name) for name in base.__slots__}
    return DiTConfig(**{**fields, "decoder": stack, "encoder": stack, "layers": 2})


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16, torch.float16])
@pytest.mark.parametrize(("rows", "frames"), [(1, 250), (2, 250), (1, 1500)])
def test_the_estimate_is_above_what_a_forward_keeps_alive_and_below_three_times_it(
    dtype: torch.dtype, rows: int, frames: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(row_blocks, "KEPT", 0)  # freed before the rest is made, never touched
    config = config_2b_proportions()
    net = DiT(config).to(dtype).requires_grad_(False)
    x, context = randn(rows, frames, 64).to(dtype), randn(1, frames, 128).to(dtype)
    kv = net.cross_attention_kv(randn(1, 20, config.encoder.hidden_size).to(dtype))
    with torch.inference_mode(), Alive() as alive:
        net(x, torch.ones(rows), context, kv)
    estimate = memory_estimate(config, rows, frames, residual_dtype(dtype).itemsize) - WORKSPACE
    assert alive.most < estimate < 3 * alive.most
