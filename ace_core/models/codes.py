"""Audio codes: five latent frames (25 Hz) to one of 64,000 codes (5 Hz), and codes to hints.

Finite scalar quantisation: six digits of 8, 8, 8, 5, 5 and 5 levels. It does not pad: whoever
calls the tokenizer pads with silence to whole codes.
Source: ACE-Step-1.5 modeling_acestep_v15_*.py, AceStepAudioTokenizer, AudioTokenDetokenizer;
vector-quantize-pytorch, ResidualFSQ with one quantizer.
"""

from itertools import accumulate
from operator import mul

import torch
from torch import Tensor, nn

from .attention import Encoder
from .config import DiTConfig
from .half import dtype_in_float32, in_float32
from .ops import Ops


class Pooler(Encoder):
    """The frames of a code to one vector: the hidden state of a token before them."""

    def __init__(self, config: DiTConfig, ops: Ops) -> None:
        hidden_size = config.encoder.hidden_size
        super().__init__(config.encoder, hidden_size, config.pooler_layers, ops)
        self.special_token = ops.parameter(1, 1, hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        """Frames of each code [M, 5, E] to [M, E]."""
        embedded = self.embed_tokens(x)
        token = self.special_token.to(embedded).expand(len(embedded), -1, -1)
        return self.first_token(torch.cat((token, embedded), dim=1))  # 6 positions per code


class Quantizer(nn.Module):
    """A vector to the nearest one of the codebook, in float32 or better: in bfloat16 a value near
    the border of two levels falls on either side. The reference's 2B code projects in the
    model's dtype, its XL code in float32; we follow XL."""

    def __init__(self, hidden_size: int, levels: tuple[int, ...], ops: Ops) -> None:
        super().__init__()
        self.levels = levels
        self.project_in = ops.linear(hidden_size, len(levels))
        self.project_out = ops.linear(len(levels), hidden_size)

    def forward(self, x: Tensor) -> Tensor:
        """Vectors [..., E] to codes [...]."""
        z = in_float32(self.project_in, x)  # [..., 6]
        top = self._levels(z).to(z.dtype) - 1
        soft = 1 + 1 / top  # the bound lies half a level outside the outermost levels
        bounded = (z / soft).tanh() * soft
        digits = torch.floor(top * (bounded.clamp(-1, 1) + 1) / 2 + 0.5).long()
        return (digits * self._basis(digits)).sum(dim=-1)

    def embed(self, codes: Tensor) -> Tensor:
        """Codes [...] to vectors [..., E], in float32 or the weights' own if that is finer."""
        levels = self._levels(codes)
        digits = codes.unsqueeze(-1) // self._basis(codes) % levels  # [..., 6]
        step = 2.0 / (levels.to(dtype_in_float32(self.project_out)) - 1)
        return in_float32(self.project_out, digits * step - 1)

    def _levels(self, like: Tensor) -> Tensor:
        return torch.tensor(self.levels, device=like.device)

    def _basis(self, like: Tensor) -> Tensor:
        place_values = list(accumulate((1, *self.levels[:-1]), mul))  # 1, 8, 64, 512, 2560, 12800
        return torch.tensor(place_values, device=like.device)


class CodeTokenizer(nn.Module):
    """Latents to codes, codes to the vectors they stand for."""

    def __init__(self, config: DiTConfig, ops: Ops) -> None:
        super().__init__()
        hidden_size = config.encoder.hidden_size
        self.frames_per_code = config.frames_per_code
        self.audio_acoustic_proj = ops.linear(config.latent_channels, hidden_size)
        self.attention_pooler = Pooler(config, ops)
        self.quantizer = Quantizer(hidden_size, config.fsq_levels, ops)

    def forward(self, latents: Tensor) -> Tensor:
        """Latents [B, T, C], T a multiple of 5, to codes [B, S].

        Raises:
            ValueError: T is no whole number of codes.
        """
        batch, frames, _ = latents.shape
        if frames % self.frames_per_code:
            raise ValueError(
                f"{frames} latent frames are no whole number of codes; pad them with silence to a "
                f"multiple of {self.frames_per_code}"
            )
        by_code = self.audio_acoustic_proj(latents).unflatten(1, (-1, self.frames_per_code))
        pooled = self.attention_pooler(by_code.flatten(0, 1))  # [B * S, E]
        return self.quantizer(pooled.unflatten(0, (batch, -1)))

    def embed(self, codes: Tensor) -> Tensor:
        """Codes [B, S] to vectors [B, S, E] in float32."""
        return self.quantizer.embed(codes)


class CodeDetokenizer(Encoder):
    """A code's vector to five latent frames, the hints that take the place of a source."""

    def __init__(self, config: DiTConfig, ops: Ops) -> None:
        hidden_size = config.encoder.hidden_size
        super().__init__(config.encoder, hidden_size, config.detokenizer_layers, ops)
        self.special_tokens = ops.parameter(1, config.frames_per_code, hidden_size)
        self.proj_out = ops.linear(hidden_size, config.latent_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Embedded codes [B, S, E] to hints [B, 5 * S, C]."""
        embedded = self.embed_tokens(x).unsqueeze(2)  # [B, S, 1, E]
        frames = embedded + self.special_tokens.to(embedded)  # [B, S, 5, E]
        hints = self.proj_out(self.run_layers(frames.flatten(0, 1)))  # [B * S, 5, C]
        return hints.unflatten(0, (len(x), -1)).flatten(1, 2)
