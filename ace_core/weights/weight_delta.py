"""What an adapter adds to one weight, as a dense matrix: LoRA, LoKr, LoHa, and DoRA on any of them.

Arithmetic on the parts and the scale that `lora.py` read.
Sources: the layers of PEFT and the modules of LyCORIS, which the official code trains with.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True, slots=True, eq=False)
class WeightDelta:
    """The parts of one layer's adapter by their names in `lora.py`, and their scale."""

    parts: Mapping[str, Tensor]
    scale: float = 1.0  # of the product, before the user's strength

    @property
    def rank(self) -> int | None:
        """The rank of the product, `None` where no factor is decomposed."""
        for name in ("lora_down", "hada_w1_b", "lokr_w1_b", "lokr_w2_b"):
            if name in self.parts:
                return self.parts[name].shape[0]
        return None

    def added(self, weight: Tensor, strength: float) -> Tensor:
        """`weight` with the adapter on it, in float32; `strength` 0 is `weight`, 1 as trained."""
        base = weight.float()
        delta = (self._product(weight.device) * self.scale).reshape(weight.shape)
        magnitude = self.parts.get("dora_scale")
        if magnitude is not None:
            delta = _with_magnitude(base + delta, magnitude.to(base)) - base
        return base + strength * delta

    def _product(self, device: torch.device) -> Tensor:
        """[out, in], not scaled."""
        parts = {name: part.to(device, torch.float32) for name, part in self.parts.items()}
        if "diff" in parts:
            return parts["diff"]
        if "lora_up" in parts:
            return _low_rank(parts)
        if "hada_w1_a" in parts:
            return _factor(parts, "hada_w1", "hada_t1") * _factor(parts, "hada_w2", "hada_t2")
        return torch.kron(_factor(parts, "lokr_w1"), _factor(parts, "lokr_w2", "lokr_t2"))


def shape_of(parts: Mapping[str, Tensor]) -> tuple[int, int] | None:
    """The rows and columns of the weight that an adapter was made for; `None`: a part is missing.

    The columns include the kernel size. No product is computed.
    """
    if "diff" in parts:
        return parts["diff"].shape[0], parts["diff"].shape[1:].numel()
    if "lora_up" in parts or "lora_down" in parts:
        return _low_rank_factor_shape(parts)
    if any(name.startswith("hada_") for name in parts):
        one, two = (
            _factor_shape(parts, "hada_w1", "hada_t1"),
            _factor_shape(parts, "hada_w2", "hada_t2"),
        )
        return one if one == two else None
    one, two = _factor_shape(parts, "lokr_w1"), _factor_shape(parts, "lokr_w2", "lokr_t2")
    if one is None or two is None:
        return None
    return one[0] * two[0], one[1] * two[1]


def _low_rank(parts: Mapping[str, Tensor]) -> Tensor:
    up, down = parts["lora_up"].flatten(1), parts["lora_down"].flatten(1)
    if "lora_mid" in parts:
        return torch.einsum("ij...,pi,jq->pq...", parts["lora_mid"], up, down).flatten(1)
    return up @ down


def _factor(parts: Mapping[str, Tensor], name: str, core: str = "") -> Tensor:
    """One factor: stored whole, as a product of two, or of two and a Tucker `core`."""
    if name in parts:
        return parts[name].flatten(1)
    one, two = parts[f"{name}_a"], parts[f"{name}_b"]
    if core in parts:
        return torch.einsum("ij...,ip,jr->pr...", parts[core], one, two).flatten(1)
    return one @ two


def _low_rank_factor_shape(parts: Mapping[str, Tensor]) -> tuple[int, int] | None:
    if "lora_up" not in parts or "lora_down" not in parts:
        return None
    middle = parts["lora_mid"][0, 0].numel() if "lora_mid" in parts else 1
    return parts["lora_up"].shape[0], parts["lora_down"][0].numel() * middle


def _factor_shape(parts: Mapping[str, Tensor], name: str, core: str = "") -> tuple[int, int] | None:
    if name in parts:
        return parts[name].shape[0], parts[name][0].numel()
    if f"{name}_a" not in parts or f"{name}_b" not in parts:
        return None
    one, two = parts[f"{name}_a"], parts[f"{name}_b"]
    if core in parts:
        return one.shape[1], two.shape[1] * parts[core][0, 0].numel()
    return one.shape[0], two[0].numel()


def _with_magnitude(merged: Tensor, magnitude: Tensor) -> Tensor:
    """`merged` with the trained magnitude of each row, or of each column where those are stored.

    The norm that is replaced is that of the merged weight; ComfyUI's loader takes the norm of the
    original weight for rows.
    """
    columns = magnitude.dim() > 1 and magnitude.shape[:2] == (1, merged.shape[1])
    kept = 1 if columns else 0
    others = [axis for axis in range(merged.dim()) if axis != kept]
    norms = torch.linalg.vector_norm(merged, dim=others, keepdim=True)
    return merged * (magnitude.reshape(norms.shape) / norms.clamp_min(1e-12))
