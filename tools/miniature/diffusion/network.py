"""The network as it is trained: many items at once, where the product's encoder takes one."""

import math
from typing import Final

import torch
from torch import Tensor, nn

from ace_core.models.acestep import AceStepModel
from ace_core.models.attention import (
    KV,
    CrossAttention,
    grouped_query_attention,
    merge_heads,
)
from ace_core.models.dit import DiTLayer
from tools.miniature.codes.train import CodeModel
from tools.miniature.sizes import DIT

QUIET: Final = 0.3  # of the last matrices of each branch, at first


class MaskedCrossAttention(CrossAttention):
    """Cross-attention that does not see the padding of shorter texts. `bias` [B, 1, 1, L] is set
    before each forward."""

    bias: Tensor

    def forward(self, x: Tensor, kv: KV) -> Tensor:
        attended = grouped_query_attention(self._queries(x), kv[0], kv[1], self.bias)
        return self.project_out(merge_heads(attended))


def new_model(codes: CodeModel) -> AceStepModel:
    """Drawn at random but for the codes, which stay as they are."""
    model = AceStepModel(DIT)
    for name, weights in model.named_parameters():
        _draw(name, weights)
    for layer in model.decoder.layers:
        assert isinstance(layer, DiTLayer)
        with torch.no_grad():
            for last in (layer.self_attn.o_proj, layer.cross_attn.o_proj, layer.mlp.down_proj):
                last.get_parameter("weight").mul_(QUIET)
            layer.scale_shift_table[:, (2, 5)] = 1  # gates
    with torch.no_grad():
        model.get_parameter("decoder.time_embed.time_proj.weight").mul_(0.1)
        for unused in ("time_embed_r.linear_2", "time_embed_r.time_proj", "proj_out.1"):
            model.get_parameter(f"decoder.{unused}.weight").zero_()
    model.tokenizer.load_state_dict(codes.tokenizer.state_dict())
    model.detokenizer.load_state_dict(codes.detokenizer.state_dict())
    for part in (model.tokenizer, model.detokenizer, model.decoder.time_embed_r):
        part.requires_grad_(False)
    mask_cross_attention(model)
    return model


def mask_cross_attention(model: AceStepModel) -> None:
    for layer in model.decoder.layers:
        assert isinstance(layer, DiTLayer)
        layer.cross_attn.__class__ = MaskedCrossAttention


def set_bias(model: AceStepModel, seen: Tensor) -> None:
    """`seen` [B, L]: which of the conditions each item has."""
    bias = torch.zeros(seen.shape).masked_fill(~seen, -math.inf)[:, None, None]
    for layer in model.decoder.layers:
        assert isinstance(layer, DiTLayer) and isinstance(layer.cross_attn, MaskedCrossAttention)
        layer.cross_attn.bias = bias


@torch.no_grad()
def _draw(name: str, weights: nn.Parameter) -> None:
    if name.endswith("scale_shift_table"):
        nn.init.normal_(weights, std=0.02)
    elif name.endswith(("null_condition_emb", "special_token", "special_tokens")):
        nn.init.normal_(weights)
    elif weights.dim() == 3:  # patches [out, in, 2], and frames [in, out, 2], which stay zero
        nn.init.normal_(weights, std=(weights.shape[1] * weights.shape[2]) ** -0.5)
    elif weights.dim() == 2:
        nn.init.normal_(weights, std=weights.shape[1] ** -0.5)
    elif name.endswith("bias"):
        nn.init.zeros_(weights)
