"""Linear layers with packed weights give what torch's give, to the rounding of float32 sums."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from ace_core.models import packed
from ace_core.models.packed import (
    FEWEST_TOKENS,
    MOST_ROWS,
    PackedWeight,
    has_layout,
    is_served,
    packed_layers,
    pays,
)
from tests.rounding import assert_same
from tests.toy import randn

WIDTH = 1024  # a square weight of it is the smallest that is served
DTYPES = (torch.float32, torch.bfloat16)


@pytest.fixture(autouse=True)
def faster(monkeypatch: pytest.MonkeyPatch) -> None:
    """As on a processor where packed weights are faster, with memory for them."""
    monkeypatch.setattr(packed, "cpu_is_amd", lambda: True)
    monkeypatch.setattr(packed, "cpu_has_avx512", lambda: True)
    monkeypatch.setattr(packed, "cpu_has_bf16_without_matrix_units", lambda: True)
    monkeypatch.setattr(packed, "available_ram", lambda: 2**30)


def needs_layout(dtype: torch.dtype) -> None:
    if not has_layout(dtype):
        pytest.skip(f"this torch has no layout of oneDNN's for {dtype} here")


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("shape", [(1,), (2,), (3, 1), (4,), (2, 3), (MOST_ROWS,)])
@pytest.mark.parametrize("with_bias", [False, True])
def test_sums_are_as_exact_as_float32_allows(
    shape: tuple[int, ...], with_bias: bool, dtype: torch.dtype
):
    needs_layout(dtype)
    x, weight = randn(*shape, 96).to(dtype), randn(40, 96, seed=2).to(dtype)
    bias = randn(40, seed=3).to(dtype) if with_bias else None
    with torch.inference_mode():
        out = PackedWeight(weight, bias)(x)
    exact, size = x.double() @ weight.double().T, x.double().abs() @ weight.double().abs().T
    if bias is not None:
        exact, size = exact + bias, size + bias.abs()
    bound = (x.shape[-1] + 1) * torch.finfo(torch.float32).eps / 2 * size
    if dtype is torch.bfloat16:
        bound = bound + torch.finfo(dtype).eps / 2 * (exact.abs() + bound)  # of the result
    assert out.shape == (*shape, 40) and out.dtype is dtype
    assert bool(((out - exact).abs() <= bound).all())


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_row_does_not_depend_on_those_beside_it(dtype: torch.dtype):
    needs_layout(dtype)
    x, weight = randn(2, 96).to(dtype), PackedWeight(randn(40, 96, seed=2).to(dtype))
    with torch.inference_mode():
        assert torch.equal(weight(x)[:1], weight(x[:1]))


def test_layers_compute_with_it_for_a_while(monkeypatch: pytest.MonkeyPatch):
    needs_layout(torch.float32)
    layers = [nn.Linear(8, 8), nn.Linear(8, 8, bias=False)]
    noted: list[Tensor] = []
    own = packed.product

    def noting(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        noted.append(x)
        return own(x, weight, bias)

    monkeypatch.setattr(packed, "product", noting)
    x = randn(2, 8)
    with torch.inference_mode():
        with pytest.raises(KeyError), packed_layers(layers):
            for layer in layers:
                layer(x)
            raise KeyError
        assert len(noted) == 2
        for layer in layers:
            layer(x)
    assert len(noted) == 2, "a layer is its own again after an error too"


def test_it_is_for_long_runs_of_few_rows():
    needs_layout(torch.float32)
    weights = [randn(WIDTH, WIDTH), randn(WIDTH + 1, WIDTH)]
    assert pays(weights, FEWEST_TOKENS, MOST_ROWS)
    assert not pays(weights, FEWEST_TOKENS - 1, MOST_ROWS)
    assert not pays(weights, FEWEST_TOKENS, MOST_ROWS + 1)


def test_there_is_memory_for_it(monkeypatch: pytest.MonkeyPatch):
    needs_layout(torch.float32)
    weights = [randn(WIDTH, WIDTH)]
    size = WIDTH * WIDTH * 4
    monkeypatch.setattr(packed, "available_ram", lambda: 2 * size)
    assert pays(weights, FEWEST_TOKENS, 1)
    monkeypatch.setattr(packed, "available_ram", lambda: 2 * size - 1)
    assert not pays(weights, FEWEST_TOKENS, 1)


def test_the_machine_says_how_much_memory_is_free(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.undo()
    assert 2**20 < packed.available_ram() < 2**50


def test_all_else_is_as_ever(monkeypatch: pytest.MonkeyPatch):
    needs_layout(torch.float32)
    weight = randn(WIDTH, WIDTH)
    assert is_served(weight)
    assert not is_served(weight[:-1])  # small
    assert not is_served(weight.T)
    assert not is_served(weight.double())
    assert not is_served(weight.to("meta"))
    monkeypatch.setattr(packed, "ENABLED", False)
    assert not pays([weight], FEWEST_TOKENS, 1)
    monkeypatch.setattr(packed, "ENABLED", True)
    monkeypatch.setattr(packed, "cpu_is_amd", lambda: False)
    assert not is_served(weight)
    monkeypatch.setattr(packed, "cpu_has_bf16_without_matrix_units", lambda: False)
    assert not is_served(weight.bfloat16())


@pytest.mark.parametrize("avx512", [True, False])
def test_rows_are_filled_up_where_the_processor_has_avx512(
    avx512: bool, monkeypatch: pytest.MonkeyPatch
):
    """Without it zeros cost time, and a single row gains none."""
    needs_layout(torch.float32)
    monkeypatch.setattr(packed, "cpu_has_avx512", lambda: avx512)
    weight = randn(WIDTH, WIDTH)
    assert pays([weight], FEWEST_TOKENS, 1) is avx512
    assert pays([weight], FEWEST_TOKENS, 2)
    multiplied: list[int] = []
    own = packed.product

    def noting(x: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        multiplied.append(x.shape[0])
        return own(x, weight, bias)

    monkeypatch.setattr(packed, "product", noting)
    x = randn(2, WIDTH, seed=2)
    with torch.inference_mode():
        assert_same(PackedWeight(weight)(x), x @ weight.T)
    assert multiplied == [4 if avx512 else 2]


def test_a_torch_without_the_layout_computes_as_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.ops, "mkldnn", SimpleNamespace())
    assert has_layout.__wrapped__(torch.float32) is False
