"""Attention maps: how much each moment of a finished song attends to each token of its lyrics.

Source: acestep/core/generation/handler/lyric_alignment_common.py for the heads of 2B; config.json
of the XL models (lyric_alignment_layers_config).
"""

import logging
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ..errors import InvalidRequestError
from ..memory import memory_for
from ..models.attention import KV
from ..models.config import DiTConfig
from ..models.dit import AttentionCapture, DiT
from ..parsing import quoted
from ..precision import check_finite
from .lyric_tokens import LyricTokens

logger = logging.getLogger(__name__)

Heads = Mapping[int, Sequence[int]]  # by layer

SEED: Final = 42  # of the noise that the song is mixed with, as in the official code
STEPS: Final = 8  # the song is noised as it was one step before its end
HEADS_2B: Final[Heads] = {2: (6,), 3: (10, 11), 4: (3,), 5: (8, 9), 6: (8,)}
HEADS_XL: Final[Heads] = {3: (18, 27), 4: (22,), 5: (5, 6, 7), 6: (2, 12, 13), 7: (20, 21)}


@dataclass(frozen=True, slots=True, eq=False)
class FinishedSong:
    """One song, and the inputs of the model that it was made with."""

    latents: Tensor  # [1, T, 64]
    context: Tensor  # [1, T, 128] in the model's dtype
    kv: list[KV]  # of cross-attention in every layer, batch 1


@memory_for("The lyric alignment", "Give fewer heads or a shorter song, or free memory.")
@torch.inference_mode()
def lyric_attention_maps(
    decoder: DiT,
    song: FinishedSong,
    tokens: LyricTokens,
    heads: Heads,
    t: float = 1 / STEPS,
    seed: int = SEED,
) -> Tensor:
    """[K, L', S]: how much each token S of the latent attends to each token L' of the lyrics, by
    each of the heads.

    The song is mixed with noise up to flow time `t`; 1 is noise alone, where only the conditions
    count. The noise is drawn on the CPU in float32: a seed means the same on every device.

    Raises:
        NonFiniteError: the model computes NaN or infinity.
    """
    generator = torch.Generator().manual_seed(seed)
    noise = torch.randn(song.latents.shape, generator=generator)
    x = (t * noise + (1 - t) * song.latents.float().cpu()).to(song.context)
    timestep = torch.full((1,), t, device=song.context.device)
    capture = AttentionCapture(heads, tokens.positions)
    maps = decoder.attention_maps(x, timestep, song.context, song.kv, capture)[0]
    return check_finite(maps, "attention of the diffusion model")


def default_heads(config: DiTConfig) -> Heads:
    """What the checkpoint's own config.json states, else the published heads of its family.

    A model of another size has none of them: then all heads of the layers where they would be
    are taken, with a warning.
    """
    stated = dict(config.lyric_heads) or (HEADS_XL if config.timbre_cls else HEADS_2B)
    existing = _existing(stated, config)
    if existing:
        return existing
    layers = range(config.layers // 12, config.layers // 4 + 1)  # 2 to 6 of 24, as in 2B
    logger.warning(
        "This model of %d layers and %d heads has none of the heads that are known to follow the "
        "lyrics. All heads of layers %d to %d are taken: times and scores may be rough.",
        config.layers,
        config.decoder.heads,
        layers[0],
        layers[-1],
    )
    return dict.fromkeys(layers, tuple(range(config.decoder.heads)))


def parse_heads(text: str, config: DiTConfig) -> Heads:
    """Heads as users write them, `2: 6; 3: 10, 11`; an empty text means the default ones.

    Raises:
        InvalidRequestError: `text` has another form, or the model has no such heads.
    """
    if not text.strip():
        return default_heads(config)
    heads: dict[int, tuple[int, ...]] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        match = re.fullmatch(r"(\d{1,6})\s*:\s*(\d{1,6}(?:[\s,]+\d{1,6})*)", part)
        if match is None:
            raise InvalidRequestError(
                f"{quoted(part)} names no heads. Write each layer with its heads, as in '2: 6; 3: "
                "10, 11', or leave it empty for the model's own."
            )
        heads[int(match[1])] = tuple(map(int, re.split(r"[\s,]+", match[2])))
    existing = _existing(heads, config)
    if not existing:
        raise InvalidRequestError(
            f"The model has none of the heads in {quoted(text)}: it has {config.layers} layers of "
            f"{config.decoder.heads} heads, both counted from 0. Write others, or leave it empty "
            "for the model's own."
        )
    return existing


def _existing(heads: Heads, config: DiTConfig) -> Heads:
    """Those of `heads` that the model has, by layer."""
    existing = {
        layer: tuple(head for head in heads[layer] if head < config.decoder.heads)
        for layer in sorted(heads)
        if layer < config.layers
    }
    return {layer: chosen for layer, chosen in existing.items() if chosen}
