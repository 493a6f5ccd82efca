"""Elementwise work in blocks of rows gives what it gives in one piece, to the last bit."""

import platform
import subprocess
import sys
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ace_core.models import row_blocks
from ace_core.models.acestep import AceStepModel
from ace_core.models.row_blocks import ROWS, add_branch, in_row_blocks
from tests.toy import acestep, dit_config, randn

DTYPES = [torch.float64, torch.float32, torch.bfloat16, torch.float16]
FRAMES = 801  # 401 tokens: six blocks and a part of one, attention in a window


def velocity(model: AceStepModel, dtype: torch.dtype) -> Tensor:
    x, context = randn(2, FRAMES, 64).to(dtype), randn(2, FRAMES, 128, seed=2).to(dtype)
    times = torch.linspace(0.9545, 0.3, 2)
    kv = model.decoder.cross_attention_kv(randn(1, 33, 64, seed=3).to(dtype))
    return model.decoder(x, times, context, kv)


def conditions(model: AceStepModel, dtype: torch.dtype) -> Tensor:
    size = model.config.text_hidden_size
    text, lyrics = randn(1, 9, size).to(dtype), randn(1, 403, size).to(dtype)
    return model.encoder(text, lyrics, randn(1, 200, 64).to(dtype))


@pytest.mark.parametrize("run", [velocity, conditions])
@pytest.mark.parametrize("dtype", DTYPES, ids=str)
def test_a_model_gives_the_same_with_blocks_and_without(
    dtype: torch.dtype,
    run: Callable[[AceStepModel, torch.dtype], Tensor],
    monkeypatch: pytest.MonkeyPatch,
):
    model = acestep(dit_config()).to(dtype)
    with torch.inference_mode():
        in_blocks = run(model, dtype)
        monkeypatch.setattr(row_blocks, "ROWS", 0)
        whole = run(model, dtype)
    assert torch.equal(in_blocks, whole)


@pytest.mark.parametrize("length", [1, ROWS, ROWS + 1, 5 * ROWS])
def test_every_row_is_given_once_with_its_place(length: int):
    x, places = randn(2, length, 3), torch.arange(length)
    with torch.no_grad():
        out = in_row_blocks(lambda part, rows: part + places[rows, None], x)
    assert torch.equal(out, x + places[:, None])


def test_a_block_is_no_longer_than_said():
    lengths: list[int] = []

    def noted(part: Tensor, rows: slice) -> Tensor:
        lengths.append(part.shape[1])
        return part

    with torch.no_grad():
        in_row_blocks(noted, randn(1, 2 * ROWS + 5, 3))
    assert lengths == [ROWS, ROWS, 5]


def test_memory_is_taken_again_without_gradients_only():
    x, branch = randn(1, 5, 4), randn(1, 5, 4, seed=2)
    expected = x + branch
    assert torch.equal(add_branch(x, branch), expected)
    assert not torch.equal(branch, expected)
    with torch.no_grad():
        assert add_branch(x, branch).data_ptr() == branch.data_ptr()
    assert torch.equal(branch, expected)


def test_a_branch_of_one_row_is_added_to_all():
    x, branch, gate = randn(2, 5, 4), randn(1, 1, 4, seed=2), randn(2, 1, 4, seed=3)
    with torch.no_grad():
        assert torch.equal(add_branch(x, branch, gate), torch.addcmul(x, branch, gate))
        assert torch.equal(add_branch(x, branch), x + branch)


def test_gradients_flow_as_without_blocks(monkeypatch: pytest.MonkeyPatch):
    def gradients() -> list[Tensor]:
        model = acestep(dit_config()).requires_grad_(True)
        velocity(model, torch.float32).square().sum().backward()
        return [p.grad for p in model.decoder.parameters() if p.grad is not None]

    given = gradients()
    monkeypatch.setattr(row_blocks, "ROWS", 0)
    assert given and all(map(torch.equal, given, gradients()))


FRESHLY_MAPPED = """
import ctypes, sys, torch
from ace_core.models import row_blocks
row_blocks.KEPT = int(sys.argv[1])
class Counts(ctypes.Structure):
    _fields_ = [(str(index), ctypes.c_size_t) for index in range(10)]
mallinfo = ctypes.CDLL(None).mallinfo2
mallinfo.restype = Counts
def mapped():
    return getattr(mallinfo(), "3")  # hblks: blocks that have a mapping of their own
with torch.inference_mode():
    row_blocks.keep_freed_memory(torch.empty(1))
    before = mapped()
    large = torch.empty(20 * 2**20, dtype=torch.uint8)
    print(mapped() - before)
"""


def has_mallinfo2() -> bool:
    name, version = platform.libc_ver()
    return name == "glibc" and tuple(map(int, version.split("."))) >= (2, 33)


@pytest.mark.skipif(not has_mallinfo2(), reason="this C library does not count its mappings")
def test_a_large_tensor_gets_no_fresh_mapping_after_a_forward():
    def mapped(kept: int) -> int:
        command = [sys.executable, "-c", FRESHLY_MAPPED, str(kept)]
        return int(subprocess.run(command, capture_output=True, text=True, check=True).stdout)

    assert mapped(row_blocks.KEPT) == 0
    assert mapped(0) == 1  # it is off, and it is needed
