"""Sizes of a transformer layer, and of the diffusion model, read from the shapes of its weights.

Nothing here opens a file: the shapes come from a header, under the official parameter names.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..constants import CODEBOOK_SIZE, FSQ_LEVELS, NORM_EPS, ROPE_THETA, SLIDING_WINDOW
from ..errors import CheckpointError
from ..parsing import number_in, quoted, whole_number

Shapes = Mapping[str, Sequence[int]]
SLIDING = "sliding_attention"
FULL = "full_attention"
LARGEST = 1e12  # of a number in a config.json
PUBLISHED = "Use the config.json that was published with the weights."


@dataclass(frozen=True, slots=True, kw_only=True)
class LayerConfig:
    """Sizes of one transformer layer."""

    hidden_size: int  # E
    intermediate_size: int
    heads: int  # H
    kv_heads: int
    head_dim: int  # D; heads * head_dim need not be hidden_size (XL: 4096 against 2560)
    rope_theta: float = ROPE_THETA
    norm_eps: float = NORM_EPS


@dataclass(frozen=True, slots=True, kw_only=True)
class StackConfig(LayerConfig):
    """Sizes of a stack of layers, some of which attend within a sliding window.

    `layer_types` names each layer's attention; when empty, even layers slide and odd ones do not.
    """

    window: int = SLIDING_WINDOW  # a sliding layer sees |i - j| <= window; 0: no layer slides
    layer_types: tuple[str, ...] = ()

    def uses_sliding_window(self, layer: int) -> bool:
        """Whether this layer attends within the window only."""
        if not self.window:
            return False
        if self.layer_types:
            return self.layer_types[layer] == SLIDING
        return layer % 2 == 0


@dataclass(frozen=True, slots=True)
class DiTConfig:
    """Sizes of one checkpoint: the decoder (the DiT) and all modules of the encoder's hidden size.

    In the 2B family both hidden sizes are 2048; in XL the decoder has 2560 and the encoder 2048.
    """

    decoder: StackConfig
    encoder: StackConfig
    layers: int
    lyric_layers: int
    timbre_layers: int
    pooler_layers: int
    detokenizer_layers: int
    text_hidden_size: int  # of the text encoder's states and embeddings
    latent_channels: int
    context_channels: int  # source latent and chunk mask
    patch: int  # latent frames in a token of the DiT
    time_features: int  # cosines and sines of the timestep
    frames_per_code: int
    fsq_levels: tuple[int, ...]
    timbre_cls: bool  # XL: the timbre vector is read from a token set before the clip
    lyric_heads: tuple[tuple[int, tuple[int, ...]], ...] = ()  # layers and heads that follow lyrics

    @classmethod
    def from_shapes(cls, shapes: Shapes, config: Mapping[str, Any] | None = None) -> "DiTConfig":
        """Sizes from official-named shapes; `config` (a config.json) may override what shapes
        cannot tell: window, rope, norms, layer types and code levels.

        Raises:
            CheckpointError: a key is missing, or shapes and config do not fit together.
        """
        config = config or {}
        lyric = "encoder.lyric_encoder"
        decoder = _stack(shapes, "decoder", "self_attn_norm", config)
        encoder = _stack(shapes, lyric, "input_layernorm", config)
        hidden, channels, patch = _shape(shapes, "decoder.proj_in.1.weight", 3)
        latent_channels = _shape(shapes, "decoder.proj_out.1.weight", 3)[1]
        result = cls(
            decoder=decoder,
            encoder=encoder,
            layers=layer_count(shapes, "decoder.layers."),
            lyric_layers=layer_count(shapes, f"{lyric}.layers."),
            timbre_layers=layer_count(shapes, "encoder.timbre_encoder.layers."),
            pooler_layers=layer_count(shapes, "tokenizer.attention_pooler.layers."),
            detokenizer_layers=layer_count(shapes, "detokenizer.layers."),
            text_hidden_size=_shape(shapes, "encoder.text_projector.weight", 2)[1],
            latent_channels=latent_channels,
            context_channels=channels - latent_channels,
            patch=patch,
            time_features=_shape(shapes, "decoder.time_embed.linear_1.weight", 2)[1],
            frames_per_code=_shape(shapes, "detokenizer.special_tokens", 3)[1],
            fsq_levels=_levels(shapes, config),
            # Source: modeling_acestep_v15_xl_base.py prepends the token, the 2B files do not;
            # only the two hidden sizes tell the families apart.
            timbre_cls=hidden != encoder.hidden_size,
            lyric_heads=_lyric_heads(config),
        )
        _check_layer_types(result)
        return result


def _stack(shapes: Shapes, prefix: str, norm: str, config: Mapping[str, Any]) -> StackConfig:
    first = f"{prefix}.layers.0"
    slides = config.get("use_sliding_window", True)
    window = round(read_number(config, "sliding_window", SLIDING_WINDOW)) or SLIDING_WINDOW
    return StackConfig(
        **layer_sizes(shapes, first),
        hidden_size=_shape(shapes, f"{first}.{norm}.weight", 1)[0],
        window=window if slides else 0,
        rope_theta=rope_theta(config),
        norm_eps=read_number(config, "rms_norm_eps", NORM_EPS) or NORM_EPS,
        layer_types=_layer_types(config),
    )


def layer_sizes(shapes: Shapes, first: str) -> dict[str, int]:
    """Sizes of attention and feed-forward of the layer with the prefix `first`.

    Raises:
        CheckpointError: a weight is missing, or the heads do not fit together.
    """
    head_dim = _shape(shapes, f"{first}.self_attn.q_norm.weight", 1)[0]
    heads = _heads(shapes, f"{first}.self_attn.q_proj.weight", head_dim)
    kv_heads = _heads(shapes, f"{first}.self_attn.k_proj.weight", head_dim)
    if heads % kv_heads or head_dim % 2:
        raise CheckpointError(
            f"{first!r} has {heads} heads for {kv_heads} pairs of keys and values, each of size "
            f"{head_dim}, which do not fit together. Choose an ACE-Step 1.5 model file."
        )
    return {
        "intermediate_size": _shape(shapes, f"{first}.mlp.gate_proj.weight", 2)[0],
        "heads": heads,
        "kv_heads": kv_heads,
        "head_dim": head_dim,
    }


def rope_theta(config: Mapping[str, Any]) -> float:
    """The base of the rotary embedding, also from where newer configs keep it.

    Raises:
        CheckpointError: something else is there.
    """
    newer = config.get("rope_parameters") or {}
    if not isinstance(newer, dict):
        raise CheckpointError(
            f"config.json has the rope_parameters {quoted(newer)}, which are no table. {PUBLISHED}"
        )
    stated = read_number(config, "rope_theta", 0) or read_number(newer, "rope_theta", 0)
    return stated or ROPE_THETA


def read_number(config: Mapping[str, Any], name: str, default: float) -> float:
    """The number from 0 under `name` in a config.json; `default` where there is none.

    Raises:
        CheckpointError: something else is there.
    """
    try:
        number = number_in(config, name, default)
        if not 0 <= number <= LARGEST:
            raise ValueError(f"{name} is {number}, outside 0 to {LARGEST:g}")
        return number
    except ValueError as error:
        raise CheckpointError(f"config.json is wrong: {error}. {PUBLISHED}") from error


def _shape(shapes: Shapes, key: str, rank: int) -> Sequence[int]:
    if key not in shapes:
        raise CheckpointError(
            f"The weights have no {key!r}, which every ACE-Step 1.5 diffusion checkpoint has. "
            "Choose a complete ACE-Step 1.5 model file, or download it again."
        )
    shape = shapes[key]
    if len(shape) != rank or 0 in shape:
        raise CheckpointError(
            f"{key!r} has the shape {list(shape)}, but {rank} sizes above 0 are expected. Choose "
            "an ACE-Step 1.5 model file whose layout this project knows."
        )
    return shape


def _heads(shapes: Shapes, key: str, head_dim: int) -> int:
    rows = _shape(shapes, key, 2)[0]
    if rows % head_dim:
        raise CheckpointError(
            f"{key!r} has {rows} rows, which is no whole number of heads of size {head_dim}. "
            "The file is damaged or of another model; choose another one."
        )
    return rows // head_dim


def layer_count(shapes: Shapes, start: str) -> int:
    """The number of layers whose names begin with `start` and a number.

    Raises:
        CheckpointError: there is none, or a gap.
    """
    indices = {key[len(start) :].split(".", 1)[0] for key in shapes if key.startswith(start)}
    count = len(indices)
    if not count or indices != {str(index) for index in range(count)}:
        raise CheckpointError(
            f"The weights have the layers {quoted(sorted(indices))} under {start!r}, but they must "
            "be numbered from 0 without a gap. Choose a complete ACE-Step 1.5 model file."
        )
    return count


def _levels(shapes: Shapes, config: Mapping[str, Any]) -> tuple[int, ...]:
    stated = config.get("fsq_input_levels") or list(FSQ_LEVELS)
    if not isinstance(stated, list) or not all(
        type(level) is int and level > 1 for level in stated
    ):
        raise CheckpointError(
            f"config.json has the fsq_input_levels {quoted(stated)}, which are no whole numbers "
            f"above 1. {PUBLISHED}"
        )
    levels = tuple(stated)
    quantizers = config.get("fsq_input_num_quantizers") or 1
    digits = _shape(shapes, "tokenizer.quantizer.project_in.weight", 2)[0]
    if quantizers != 1 or digits != len(levels) or math.prod(levels) > CODEBOOK_SIZE:
        raise CheckpointError(
            f"The code tokenizer has {quoted(quantizers)} quantizers and {digits} digits a code, "
            f"but one quantizer with the levels {list(levels)} is stated, and {CODEBOOK_SIZE} "
            "codes are the most. Choose an ACE-Step 1.5 model file."
        )
    return levels


def _lyric_heads(config: Mapping[str, Any]) -> tuple[tuple[int, tuple[int, ...]], ...]:
    stated = config.get("lyric_alignment_layers_config") or {}
    try:
        pairs = [
            (whole_number(layer), tuple(whole_number(str(head)) for head in heads))
            for layer, heads in stated.items()
        ]
        if any(number < 0 for layer, heads in pairs for number in (layer, *heads)):
            raise ValueError("a number is below 0")
    except (AttributeError, TypeError, ValueError) as error:
        raise CheckpointError(
            f"config.json has the lyric_alignment_layers_config {quoted(stated)}, but it must name "
            'heads by layer, as in {"2": [6], "3": [10, 11]}. '
            f"{PUBLISHED}"
        ) from error
    return tuple(sorted(pairs))


def _layer_types(config: Mapping[str, Any]) -> tuple[str, ...]:
    types = config.get("layer_types") or []
    if not isinstance(types, list) or any(each not in (SLIDING, FULL) for each in types):
        raise CheckpointError(
            f"config.json names the layer types {quoted(types)}, but only {SLIDING!r} and {FULL!r} "
            f"are known. {PUBLISHED}"
        )
    return tuple(types)


def _check_layer_types(config: DiTConfig) -> None:
    types = config.decoder.layer_types
    deepest = max(
        config.layers,
        config.lyric_layers,
        config.timbre_layers,
        config.pooler_layers,
        config.detokenizer_layers,
    )
    if types and len(types) < deepest:
        raise CheckpointError(
            f"config.json names {len(types)} layer types, but the weights have {deepest} layers. "
            "Use the config.json that was published with the weights."
        )
