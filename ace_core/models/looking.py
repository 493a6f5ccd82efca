"""Where the diffusion transformer looks while it plays: chosen heads of its cross-attention.

Only the places that are asked for are kept, layer by layer, and layers behind the last chosen one
are not run. It knows no lyrics.
Source: output_attentions of AceStepDiTModel in modeling_acestep_v15_*.py.
"""

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from .attention import KV
from .dit import DiT, Entry

Heads = Mapping[int, Sequence[int]]  # heads by layer


def looks(decoder: DiT, entry: Entry, kv: Sequence[KV], heads: Heads, places: slice) -> Tensor:
    """How much each token S of the latent looks at each of the `places` of the keys.

    [B, K, places, S] in float32, K heads from the first layer on. Among the keys the
    lyrics come first.
    """
    h, found = entry.tokens, []
    for index, layer in enumerate(decoder.stack()):
        parts = layer.parts(h, entry.modulation)
        window = entry.window if decoder.size.slides(index) else None
        h = layer.listen(h, parts, entry.rope, window)
        keys, values = kv[index]
        if index in heads:
            shares = layer.cross_attn.shares(layer.cross_attn_norm(h), keys, heads[index])
            found.append(shares[..., places].transpose(-1, -2).contiguous())
        if index == max(heads):
            break
        h = layer.think(h + layer.read(h, (keys, values)), parts)
    return torch.cat(found, dim=1)
