"""Which heads of the diffusion model look at the word that is being sung.

Source: acestep/core/generation/handler/lyric_alignment_common.py for 2B; config.json of the XL
models (lyric_alignment_layers_config).
"""

import logging
import re
from collections.abc import Mapping, Sequence
from typing import Final

from ..errors import InvalidRequestError
from ..models.config import DiTConfig

Heads = Mapping[int, Sequence[int]]  # by layer

logger = logging.getLogger(__name__)

OF_2B: Final[Heads] = {2: (6,), 3: (10, 11), 4: (3,), 5: (8, 9), 6: (8,)}
OF_XL: Final[Heads] = {3: (18, 27), 4: (22,), 5: (5, 6, 7), 6: (2, 12, 13), 7: (20, 21)}


def heads_for(config: DiTConfig) -> Heads:
    """What the checkpoint's own config.json states, else the published heads of its family.

    A model of another size has none of them: then all heads of the layers where they would be
    are taken, with a warning.
    """
    stated = dict(config.lyric_heads) or (OF_XL if config.timbre_cls else OF_2B)
    found = _existing(stated, config)
    if found:
        return found
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


def written_heads(text: str, config: DiTConfig) -> Heads:
    """Heads as people write them, `2: 6; 3: 10, 11`; an empty text means the model's own.

    Raises:
        InvalidRequestError: it is written otherwise, or the model has no such heads.
    """
    if not text.strip():
        return heads_for(config)
    heads: dict[int, tuple[int, ...]] = {}
    for part in filter(None, (part.strip() for part in text.split(";"))):
        match = re.fullmatch(r"(\d+)\s*:\s*(\d+(?:[\s,]+\d+)*)", part)
        if match is None:
            raise InvalidRequestError(
                f"{part!r} names no heads. Write each layer with its heads, as in '2: 6; 3: 10, "
                "11', or leave it empty for the model's own."
            )
        heads[int(match[1])] = tuple(map(int, re.split(r"[\s,]+", match[2])))
    found = _existing(heads, config)
    if not found:
        raise InvalidRequestError(
            f"The model has none of the heads in {text!r}: it has {config.layers} layers of "
            f"{config.decoder.heads} heads, both counted from 0. Write others, or leave it empty "
            "for the model's own."
        )
    return found


def _existing(heads: Heads, config: DiTConfig) -> Heads:
    """Those that the model has, by layer."""
    found = {
        layer: tuple(head for head in heads[layer] if head < config.decoder.heads)
        for layer in sorted(heads)
        if layer < config.layers
    }
    return {layer: chosen for layer, chosen in found.items() if chosen}
