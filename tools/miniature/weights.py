"""Random weights of miniature models: small widths, real names, the same bytes every time.

Each tensor is drawn from a generator seeded by its own name, so that none depends on another. The
spreads keep what flows through at about one, and the sound at a sane level.
"""

import math
import zlib

import torch
from torch import Tensor

from ace_core.models.acestep import AceStepModel
from ace_core.models.config import DiTConfig, StackConfig
from ace_core.models.ops import Ops
from ace_core.models.qwen3 import Qwen3, Qwen3Config
from ace_core.models.vae import Oobleck, OobleckConfig
from ace_core.weights.load import SkipInitMode

META = Ops(device="meta")
PUBLISHED_DTYPE = torch.bfloat16  # of transformers; the VAE is published in float32
LOUDNESS = 0.08  # of the VAE's last convolution: peaks of a piece stay below 1

ENCODER = StackConfig(hidden_size=64, intermediate_size=128, heads=4, kv_heads=2, head_dim=16)
XL_DECODER = StackConfig(hidden_size=96, intermediate_size=192, heads=8, kv_heads=2, head_dim=16)
TEXT = Qwen3Config(
    vocab_size=0, hidden_size=32, intermediate_size=64, layers=2, heads=4, kv_heads=2, head_dim=16
)
VAE = OobleckConfig(encoder_channels=2, decoder_channels=2)


def dit_config(xl: bool = False) -> DiTConfig:
    return DiTConfig(
        decoder=XL_DECODER if xl else ENCODER,
        encoder=ENCODER,
        layers=4,
        lyric_layers=4,
        timbre_layers=2,
        pooler_layers=2,
        detokenizer_layers=2,
        text_hidden_size=TEXT.hidden_size,
        latent_channels=64,
        context_channels=128,
        patch=2,
        time_features=256,
        frames_per_code=5,
        fsq_levels=(8, 8, 8, 5, 5, 5),
        timbre_cls=xl,
    )


def dit_weights(name: str, xl: bool = False) -> dict[str, Tensor]:
    """A whole diffusion model; `name` makes its weights differ from another's."""
    with SkipInitMode():
        model = AceStepModel(dit_config(xl), META)
    return _drawn(name, model.state_dict(), PUBLISHED_DTYPE)


def lora_weights(name: str, rank: int = 2) -> dict[str, Tensor]:
    """An adapter of every self-attention query of the 2B miniature, spelled as PEFT does."""
    width, rows = ENCODER.hidden_size, ENCODER.heads * ENCODER.head_dim
    shapes = {"lora_A": torch.Size((rank, width)), "lora_B": torch.Size((rows, rank))}
    keys = {
        f"base_model.model.layers.{layer}.self_attn.q_proj.{part}.weight": shape
        for layer in range(dit_config().layers)
        for part, shape in shapes.items()
    }
    return {key: _draw(f"{name}/{key}", shape).to(PUBLISHED_DTYPE) for key, shape in keys.items()}


def qwen3_weights(name: str, config: Qwen3Config) -> dict[str, Tensor]:
    with SkipInitMode():
        model = Qwen3(config, META)
    return _drawn(name, model.state_dict(), PUBLISHED_DTYPE)


def vae_weights(name: str, config: OobleckConfig = VAE) -> dict[str, Tensor]:
    """The VAE under diffusers' names, its weight norm not folded: lengths differ from norms."""
    weights: dict[str, Tensor] = {}
    for key, tensor in _drawn(name, Oobleck(config, META).state_dict(), torch.float32).items():
        if not key.endswith("weight"):
            weights[key] = tensor
            continue
        around = tuple(range(1, tensor.dim()))
        lengths = torch.linalg.vector_norm(tensor, dim=around, keepdim=True)
        if key == "decoder.conv2.weight":
            lengths *= LOUDNESS
        weights[f"{key}_g"] = lengths
        weights[f"{key}_v"] = tensor * 2  # only its direction counts
    return weights


def _drawn(name: str, state: dict[str, Tensor], dtype: torch.dtype) -> dict[str, Tensor]:
    return {key: _draw(f"{name}/{key}", tensor.shape).to(dtype) for key, tensor in state.items()}


def _draw(name: str, shape: torch.Size) -> Tensor:
    generator = torch.Generator().manual_seed(zlib.crc32(name.encode()))
    values = torch.randn(shape, generator=generator)
    words = name.rsplit(".", 2)
    if words[-1] == "weight" and len(shape) == 1:  # a norm
        return 1 + 0.1 * values
    if words[-1] in ("bias", "alpha", "beta", "scale_shift_table"):  # curves are in log scale
        return 0.1 * values
    if words[-1] == "weight" and words[-2] != "embed_tokens":
        return values * _gain(name, shape) / math.sqrt(_inputs(name, shape))
    if words[-1] == "weight" and len(shape) == 2:  # a table, or the projection of that name
        return values / math.sqrt(shape[1])
    return values


def _gain(name: str, shape: torch.Size) -> float:
    """Below one in the VAE, whose fifty activations would otherwise amplify each other."""
    if len(shape) < 3 or "proj_" in name:
        return 1.0
    if "res_unit" in name:
        return 0.3
    return 1.0 if "encoder." in name else 0.8


def _inputs(name: str, shape: torch.Size) -> int:
    """How many numbers are summed for one output."""
    if "proj_out.1" in name:  # transposed, stride = kernel: one input frame each
        return shape[0]
    if "conv_t1" in name:  # transposed, kernel = 2 * stride: two input frames each
        return 2 * shape[0]
    return math.prod(shape[1:])
