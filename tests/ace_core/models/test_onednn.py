"""Linear layers by oneDNN's product give what torch's give, to the rounding of float32 sums."""

from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn

from ace_core.models import onednn
from ace_core.models.onednn import Linear, has_product, linear, product
from ace_core.models.ops import TORCH, Ops
from tests.toy import randn

WIDTH = 1024  # a square weight of it is the smallest that is taken


@pytest.fixture
def products(monkeypatch: pytest.MonkeyPatch) -> list[Tensor]:
    """Notes what is computed by `product`, as on a processor where it is faster."""
    if not has_product(torch.float32):
        pytest.skip("this torch has no oneDNN here")
    noted: list[Tensor] = []

    def noting(x: Tensor, weight: Tensor, bias: Tensor | None = None) -> Tensor:
        noted.append(x)
        return product(x, weight, bias)

    monkeypatch.setattr(onednn, "cpu_is_amd", lambda: True)
    monkeypatch.setattr(onednn, "product", noting)
    return noted


def assert_summed(out: Tensor, x: Tensor, weight: Tensor, bias: Tensor | None = None) -> None:
    """`out` is the linear layer's, to the rounding of float32 sums in any order."""
    exact, size = x.double() @ weight.double().T, x.double().abs() @ weight.double().abs().T
    if bias is not None:
        exact, size = exact + bias, size + bias.abs()
    bound = (x.shape[-1] + 1) * torch.finfo(torch.float32).eps / 2 * size
    assert bool(((out - exact).abs() <= bound).all())


@pytest.mark.parametrize("shape", [(2,), (1, 1), (2, 3), (1, 130)])
@pytest.mark.parametrize("with_bias", [False, True])
def test_sums_are_as_exact_as_float32_allows(
    shape: tuple[int, ...], with_bias: bool, products: list[Tensor]
):
    x, weight = randn(*shape, WIDTH), randn(WIDTH + 8, WIDTH, seed=2)
    bias = randn(WIDTH + 8, seed=3) if with_bias else None
    with torch.no_grad():
        out = linear(x, weight, bias)
    assert len(products) == 1
    assert out.shape == (*shape, WIDTH + 8) and out.dtype is torch.float32
    assert_summed(out, x, weight, bias)


def test_rows_that_do_not_lie_together_are_taken(products: list[Tensor]):
    x, weight = randn(1, WIDTH, 6).transpose(1, 2), randn(WIDTH, WIDTH, seed=2)
    with torch.no_grad():
        assert_summed(linear(x, weight), x, weight)
    assert len(products) == 1


def test_all_else_is_torchs_own(products: list[Tensor], monkeypatch: pytest.MonkeyPatch):
    x, weight = randn(2, WIDTH), randn(WIDTH, WIDTH, seed=2)
    with torch.no_grad():
        linear(x.double(), weight.double())
        linear(x.bfloat16(), weight.bfloat16())
        linear(x, weight[:-1])  # small
        linear(x, weight.T)
        linear(x[:0], weight)
        linear(x.to("meta"), weight.to("meta"))
        with torch.autocast("cpu", torch.bfloat16):
            assert linear(x, weight).dtype is torch.bfloat16
        monkeypatch.setattr(onednn, "cpu_is_amd", lambda: False)
        linear(x, weight)
        monkeypatch.setattr(onednn, "cpu_is_amd", lambda: True)
        monkeypatch.setattr(onednn, "ENABLED", False)
        linear(x, weight)
        monkeypatch.setattr(onednn, "ENABLED", True)
    with torch.enable_grad():
        linear(x, weight.requires_grad_()).sum().backward()
    assert weight.grad is not None
    assert not products


def test_the_layers_of_the_core_take_it(products: list[Tensor]):
    layer = TORCH.linear(WIDTH, WIDTH)
    assert list(layer.state_dict()) == ["weight", "bias"]
    with torch.inference_mode():
        layer(randn(1, WIDTH))
    assert len(products) == 1


def test_layers_of_a_host_stay_its_own():
    own = SimpleNamespace(Linear=nn.Linear)
    assert type(Ops(own).linear(4, 4)) is nn.Linear
    assert type(Ops().linear(4, 4)) is Linear


def test_a_torch_without_the_operator_computes_as_ever(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.ops, "mkldnn", SimpleNamespace())
    assert has_product.__wrapped__(torch.float32) is False
