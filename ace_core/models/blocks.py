"""What the encoders share: the gated MLP, the pre-norm layer, and the stack of them."""

import torch.nn.functional as F
from torch import Tensor, nn

from .attention import Attention, Rope, rope_table
from .config import StackConfig
from .ops import Ops
from .sliding import Window, make_window


class MLP(nn.Module):
    """down(silu(gate(x)) * up(x))."""

    def __init__(self, size: StackConfig, ops: Ops) -> None:
        super().__init__()
        self.gate_proj = ops.linear(size.hidden_size, size.intermediate_size, bias=False)
        self.up_proj = ops.linear(size.hidden_size, size.intermediate_size, bias=False)
        self.down_proj = ops.linear(size.intermediate_size, size.hidden_size, bias=False)

    def forward(self, x: Tensor) -> Tensor:
        return self.down_proj(F.silu(self.gate_proj(x)).mul_(self.up_proj(x)))


class EncoderLayer(nn.Module):
    """Self-attention and MLP, each on a normed copy and added to the residual."""

    def __init__(self, size: StackConfig, ops: Ops) -> None:
        super().__init__()
        self.input_layernorm = ops.norm(size.hidden_size, size.norm_eps)
        self.self_attn = Attention(size, ops)
        self.post_attention_layernorm = ops.norm(size.hidden_size, size.norm_eps)
        self.mlp = MLP(size, ops)

    def forward(self, x: Tensor, rope: Rope, window: Window | None) -> Tensor:
        x = x + self.self_attn(self.input_layernorm(x), rope, window)
        return x + self.mlp(self.post_attention_layernorm(x))


class Encoder(nn.Module):
    """An input projection, layers of which the sliding ones see only their window, a norm."""

    def __init__(self, size: StackConfig, in_features: int, layers: int, ops: Ops) -> None:
        super().__init__()
        self.size = size
        self.embed_tokens = ops.linear(in_features, size.hidden_size)
        self.layers = nn.ModuleList(EncoderLayer(size, ops) for _ in range(layers))
        self.norm = ops.norm(size.hidden_size, size.norm_eps)

    def forward(self, x: Tensor) -> Tensor:
        """`x` [B, T, in_features] to [B, T, E]."""
        return self.run(self.embed_tokens(x))

    def run(self, x: Tensor) -> Tensor:
        """The layers and the norm on `x` [B, T, E], already projected."""
        rope = rope_table(x.shape[1], self.size, x)
        window = make_window(x.shape[1], self.size.window, x)
        for index, layer in enumerate(self.layers):
            x = layer(x, rope, window if self.size.slides(index) else None)
        return self.norm(x)
