"""Stand-in for `comfy.lora`: adapters as plain differences, as `add_patches` takes them."""

from typing import Any

import torch


def load_lora(
    lora: dict[str, torch.Tensor], to_load: dict[str, str], log_missing: bool = True
) -> dict[str, Any]:
    """LoRA and LoKr; a strength is alpha by rank, 1 where nothing says otherwise."""
    patches = {}
    for base, key in to_load.items():
        parts = {k[len(base) + 1 :]: t.float() for k, t in lora.items() if k.startswith(f"{base}.")}
        if "dora_scale" in parts:
            raise NotImplementedError("the stand-in knows no DoRA")
        if parts:
            patches[key] = ("diff", (_difference(parts),))
    return patches


def _difference(parts: dict[str, torch.Tensor]) -> torch.Tensor:
    if "lora_up.weight" in parts:
        up, down = parts["lora_up.weight"], parts["lora_down.weight"]
        return up @ down * float(parts.get("alpha", down.shape[0])) / down.shape[0]
    rank = next((parts[n].shape[0] for n in ("lokr_w1_b", "lokr_w2_b") if n in parts), None)
    scale = float(parts["alpha"]) / rank if rank is not None and "alpha" in parts else 1.0
    one, two = (_factor(parts, name) for name in ("lokr_w1", "lokr_w2"))
    return torch.kron(one, two) * scale


def _factor(parts: dict[str, torch.Tensor], name: str) -> torch.Tensor:
    return parts[name] if name in parts else parts[f"{name}_a"] @ parts[f"{name}_b"]
