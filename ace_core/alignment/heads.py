"""Which heads of the diffusion model look at the word that is being sung.

Source: acestep/core/generation/handler/lyric_alignment_common.py for 2B; config.json of the XL
models (lyric_alignment_layers_config).
"""

import re
from typing import Final

from ..errors import InvalidRequestError
from ..models.config import DiTConfig
from ..models.looking import Heads

OF_2B: Final[Heads] = {2: (6,), 3: (10, 11), 4: (3,), 5: (8, 9), 6: (8,)}
OF_XL: Final[Heads] = {3: (18, 27), 4: (22,), 5: (5, 6, 7), 6: (2, 12, 13), 7: (20, 21)}


def heads_for(config: DiTConfig) -> Heads:
    """What the checkpoint's own config.json states, else the published heads of its family.

    Raises:
        InvalidRequestError: the model is too small to have any of them.
    """
    stated = dict(config.lyric_heads) or (OF_XL if config.timbre_cls else OF_2B)
    return _existing(stated, config)


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
    return _existing(heads, config)


def _existing(heads: Heads, config: DiTConfig) -> Heads:
    """Those that the model has, by layer."""
    count = config.decoder.heads
    found = {
        layer: tuple(head for head in heads[layer] if head < count)
        for layer in sorted(heads)
        if layer < config.layers
    }
    found = {layer: chosen for layer, chosen in found.items() if chosen}
    if not found:
        raise InvalidRequestError(
            f"None of the heads that follow the lyrics is in this model: it has {config.layers} "
            f"layers of {count} heads, and asked for are {dict(heads)}. Use a published model, or "
            "write heads of your own, as in '1: 0, 1; 2: 3'."
        )
    return found
