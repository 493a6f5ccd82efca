"""Models of the true shapes with random weights: speed and memory need no others."""

import re

import torch
from torch import Tensor, nn

from ace_core.models.acestep import AceStepModel
from ace_core.models.config import DiTConfig, StackConfig
from ace_core.models.ops import Ops
from ace_core.models.qwen3 import Qwen3, Qwen3Config

STACK = StackConfig(hidden_size=2048, intermediate_size=6144, heads=16, kv_heads=8, head_dim=128)
WEIGHT_SCALE = 0.02  # keeps 24 random layers finite in bfloat16


def turbo_2b(layers: int = 24) -> DiTConfig:
    """The published 2B shapes; fewer `layers` for a quicker look at one step."""
    return DiTConfig(
        decoder=STACK,
        encoder=STACK,
        layers=layers,
        lyric_layers=8,
        timbre_layers=4,
        pooler_layers=2,
        detokenizer_layers=2,
        text_hidden_size=1024,
        latent_channels=64,
        context_channels=128,
        patch=2,
        time_features=256,
        frames_per_code=5,
        fsq_levels=(8, 8, 8, 5, 5, 5),
        timbre_cls=False,
    )


def randomized(module: nn.Module, dtype: torch.dtype, shared: bool = False) -> nn.Module:
    """`module`, made on the meta device, with random weights of `dtype` on the CPU; `shared`: all
    layers of a stack hold the same tensors."""
    torch.manual_seed(0)
    made: dict[str, Tensor] = {}
    weights = {}
    for name, tensor in module.state_dict().items():
        key = re.sub(r"layers\.\d+", "layers", name) if shared else name
        if key not in made:
            made[key] = _random(name, tensor, dtype)
        weights[name] = made[key]
    module.load_state_dict(weights, assign=True)
    return module.eval().requires_grad_(False)


def dit(dtype: torch.dtype, layers: int = 24, shared: bool = False) -> AceStepModel:
    model = AceStepModel(turbo_2b(layers), Ops(device="meta"))
    return randomized(model, dtype, shared)  # type: ignore[return-value]


def text_encoder(dtype: torch.dtype) -> Qwen3:
    """Qwen3-Embedding-0.6B's shapes."""
    config = Qwen3Config(
        vocab_size=151_669,
        hidden_size=1024,
        intermediate_size=3072,
        layers=28,
        heads=16,
        kv_heads=8,
        head_dim=128,
    )
    return randomized(Qwen3(config, Ops(device="meta")), dtype)  # type: ignore[return-value]


def _random(name: str, tensor: Tensor, dtype: torch.dtype) -> Tensor:
    if "norm" in name:
        return torch.ones(tensor.shape, dtype=dtype)
    return torch.empty(tensor.shape, dtype=dtype).normal_(std=WEIGHT_SCALE)
