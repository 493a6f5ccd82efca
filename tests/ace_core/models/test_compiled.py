from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn

from ace_core.errors import InvalidRequestError
from ace_core.models.compiled import check_compiler, compile_layers
from ace_core.models.dit import DiT
from tests.rounding import assert_same, difference
from tests.toy import dit_config, fill, randn64

CPU = torch.device("cpu")


class Graphs:
    """A backend of `torch.compile` that runs what it gets, and counts it."""

    def __init__(self) -> None:
        self.count = 0

    def __call__(self, graph: nn.Module, _: list[Tensor]) -> Callable[..., Any]:
        self.count += 1
        return graph.forward


def song(batch: int, frames: int) -> tuple[Tensor, Tensor, Tensor]:
    times = torch.linspace(0.9545, 0.3, batch, dtype=torch.float64)
    return randn64(batch, frames, 64), times, randn64(batch, frames, 128, seed=2)


@torch.inference_mode()
def test_songs_of_many_lengths_share_the_graphs_of_a_few_layers():
    plain, compiled = (fill(DiT(dit_config())).double() for _ in range(2))
    torch.compiler.reset()
    graphs = Graphs()
    compile_layers(compiled, graphs)
    encoded, null = randn64(1, 33, 64, seed=3), randn64(1, 1, 64, seed=4)

    def graphs_after(conditions: Tensor, batch: int, lengths: tuple[int, ...]) -> int:
        kv = plain.cross_attention_kv(conditions)
        for frames in lengths:
            given = song(batch, frames)
            assert_same(compiled(*given, kv), plain(*given, kv))
        return graphs.count

    lengths = (801, 900, 1401, 2000)  # in blocks, even and odd
    assert graphs_after(encoded, 1, lengths) == 2  # a layer with the window and one without
    assert graphs_after(randn64(1, 20, 64, seed=5), 1, lengths[:1]) == 2
    assert graphs_after(encoded, 1, (301, 350)) == 3  # a window of one dense mask
    assert graphs_after(null, 1, lengths) == 5
    assert graphs_after(encoded, 2, lengths) == 7
    assert graphs_after(encoded, 3, lengths) == 7


@torch.inference_mode()
def test_weights_that_an_adapter_replaces_are_used_by_the_same_graphs():
    plain, compiled = (fill(DiT(dit_config())).double() for _ in range(2))
    torch.compiler.reset()
    graphs = Graphs()
    compile_layers(compiled, graphs)
    given, kv = song(1, 801), plain.cross_attention_kv(randn64(1, 33, 64, seed=3))
    before, count = compiled(*given, kv), graphs.count
    for decoder in (plain, compiled):
        for layer in decoder.layers:
            table = layer.mlp.up_proj._parameters  # as `weights.apply_adapter` does
            table["weight"] = nn.Parameter(1.1 * table["weight"], False)
    after = compiled(*given, kv)
    assert_same(after, plain(*given, kv))
    assert difference(after, before) > 1e-3
    assert graphs.count == count


def test_a_machine_that_cannot_compile_is_told_before_a_song(monkeypatch: pytest.MonkeyPatch):
    def broken(_: object) -> Callable[[Tensor], Tensor]:
        def run(x: Tensor) -> Tensor:
            raise RuntimeError("Cannot find a working triton installation.\nA trace follows.")

        return run

    monkeypatch.setattr(torch, "compile", broken)
    with pytest.raises(InvalidRequestError, match=r"for cpu .*working triton .*Turn compiling off"):
        check_compiler(CPU)
    monkeypatch.setattr(torch, "compile", lambda function: function)
    check_compiler(CPU)
