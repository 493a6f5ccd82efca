"""Which processors are taken to be fast at bf16."""

import platform
from types import SimpleNamespace

import pytest
import torch

from ace_core.precision import (
    FAST_AT_BF16,
    cpu_has_avx512,
    cpu_has_bf16_without_matrix_units,
    cpu_is_fast_at_bf16,
)


@pytest.mark.parametrize("fast", [False, True])
def test_an_arm_processor_is_as_fast_as_onednn_says(fast: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: True)
    known = SimpleNamespace(_is_mkldnn_bf16_supported=lambda: fast)
    monkeypatch.setattr(torch.ops, "mkldnn", known)
    assert cpu_is_fast_at_bf16() is fast


@pytest.mark.parametrize("name", ["_is_amx_tile_supported", "_is_avx512_bf16_supported"])
def test_an_x86_processor_is_fast_with_amx_or_avx512_for_bf16(
    name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    for each in FAST_AT_BF16:
        monkeypatch.setattr(torch.cpu, each, bool, raising=False)
    assert cpu_is_fast_at_bf16() is False
    monkeypatch.setattr(torch.cpu, name, lambda: True)
    assert cpu_is_fast_at_bf16() is True
    for each in FAST_AT_BF16:  # as in an old torch
        monkeypatch.delattr(torch.cpu, each)
    assert cpu_is_fast_at_bf16() is False


@pytest.mark.parametrize("amx", [False, True])
@pytest.mark.parametrize("avx512", [False, True])
def test_a_processor_with_matrix_units_is_told_from_one_without(
    amx: bool, avx512: bool, monkeypatch: pytest.MonkeyPatch
):
    for name, there in zip(FAST_AT_BF16, (amx, avx512), strict=True):
        monkeypatch.setattr(torch.cpu, name, lambda there=there: there, raising=False)
    assert cpu_has_bf16_without_matrix_units.__wrapped__() is (avx512 and not amx)


@pytest.mark.parametrize("there", [False, True])
def test_a_processor_has_avx512_where_torch_says_so(there: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(torch.cpu, "_is_avx512_supported", lambda: there, raising=False)
    assert cpu_has_avx512.__wrapped__() is there
    monkeypatch.delattr(torch.cpu, "_is_avx512_supported")  # as in an old torch
    assert cpu_has_avx512.__wrapped__() is False


def test_a_torch_without_onednn_is_not_asked_for_its_operators(monkeypatch: pytest.MonkeyPatch):
    """As on a Mac, whose torch has none of them."""
    monkeypatch.setattr(platform, "machine", lambda: "arm64")
    monkeypatch.setattr(torch.backends.mkldnn, "is_available", lambda: False)
    monkeypatch.setattr(torch.ops, "mkldnn", SimpleNamespace())
    assert cpu_is_fast_at_bf16() is False
