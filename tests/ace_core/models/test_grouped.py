"""Heads that share keys: what torch computes with shared keys, and with repeated ones."""

from typing import Any

import pytest
import torch

from ace_core.models import grouped
from ace_core.models.grouped import grouped_attention
from tests.toy import randn

HEADS, SHARED, WIDTH = 6, 2, 8


def by_hand(
    q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, bias: torch.Tensor | None, causal: bool
) -> torch.Tensor:
    """Head by head, from the formula."""
    rows = []
    for head in range(q.shape[1]):
        own = head * k.shape[1] // q.shape[1]
        scores = q[:, head] @ k[:, own].mT / q.shape[-1] ** 0.5
        if bias is not None:
            scores = scores + bias[:, 0]
        if causal:
            later = torch.ones(scores.shape[-2:], dtype=torch.bool).triu(1)
            scores = scores.masked_fill(later, -torch.inf)
        rows.append(scores.softmax(dim=-1) @ v[:, own])
    return torch.stack(rows, dim=1)


class Attention:
    """torch's own, which notes how many key heads it was given; `old` as before 2.5."""

    def __init__(self, old: bool) -> None:
        self.old = old
        self.torch = torch.nn.functional.scaled_dot_product_attention
        self.key_heads: list[int] = []

    def __call__(self, q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, **more: Any):
        if self.old and "enable_gqa" in more:
            raise TypeError("got an unexpected keyword argument 'enable_gqa'")
        self.key_heads.append(k.shape[1])
        return self.torch(q, k, v, **more)


@pytest.mark.parametrize(("biased", "causal"), [(False, False), (True, False), (False, True)])
@pytest.mark.parametrize("old", [False, True], ids=["this torch", "before 2.5"])
@pytest.mark.parametrize("key_heads", [SHARED, HEADS])
def test_query_heads_read_the_key_head_they_share(
    key_heads: int, old: bool, biased: bool, causal: bool, monkeypatch: pytest.MonkeyPatch
):
    attention = Attention(old or not grouped.SHARES_HEADS)
    monkeypatch.setattr(grouped.F, "scaled_dot_product_attention", attention)
    if old:
        monkeypatch.setattr(grouped, "SHARES_HEADS", False)
    q = randn(2, HEADS, 5, WIDTH, seed=1).double()
    k, v = (randn(2, key_heads, 5, WIDTH, seed=seed).double() for seed in (2, 3))
    bias = randn(2, 1, 5, 5, seed=4).double() if biased else None
    out = grouped_attention(q, k, v, bias, causal)
    torch.testing.assert_close(out, by_hand(q, k, v, bias, causal), rtol=0, atol=1e-9)
    repeated = HEADS if attention.old else key_heads
    assert attention.key_heads == [repeated]
