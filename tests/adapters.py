"""Adapters that PEFT, LyCORIS and diffusers wrote, and what the official decoder made with them."""

from functools import cache
from pathlib import Path
from typing import Any, Final

import torch
from safetensors.torch import load_file
from torch import Tensor

from tests.rounding import SINGLE

FOLDER: Final = Path(__file__).parent / "goldens" / "adapters"
ALONE: Final = tuple(sorted(path.name for path in FOLDER.iterdir() if path.is_dir()))
CASES: Final = {  # the name of a golden: adapters in a row, each with its strength
    **{name: ((name, 1.0),) for name in ALONE},
    "lora_alpha+lora_rslora": (("lora_alpha", 1.0), ("lora_rslora", 1.0)),
    "lora_alpha*0.5": (("lora_alpha", 0.5),),
}
LIMIT: Final = SINGLE  # recorded in float32, and computed in it inside a host


def file_of(name: str) -> Path:
    return next((FOLDER / name).glob("*.safetensors"))


@cache
def golden() -> dict[str, Tensor]:
    return load_file(FOLDER / "velocities.safetensors")


@torch.inference_mode()
def velocity(decoder: Any) -> Tensor:
    """What a decoder of ours makes of the goldens' input."""
    own = decoder.condition_embedder.weight.dtype
    given = {name: tensor.to(own) for name, tensor in golden().items()}
    kv = decoder.cross_attention_kv(given["encoded"])
    return decoder(given["x"], given["t"], given["context"], kv)
