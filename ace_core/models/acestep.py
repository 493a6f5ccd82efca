"""All of an ACE-Step 1.5 diffusion checkpoint under its official parameter names, 2B and XL: the
condition encoder, and the model that holds it beside the DiT and the audio codes.

Source: ACE-Step-1.5 modeling_acestep_v15_*.py, AceStepConditionEncoder and
AceStepConditionGenerationModel.
"""

import torch
from torch import Tensor, nn

from .attention import Encoder
from .codes import CodeDetokenizer, CodeTokenizer
from .config import DiTConfig
from .dit import DiT
from .ops import TORCH, Ops


class TimbreEncoder(Encoder):
    """A reference clip to one vector: the hidden state at position 0.

    Position 0 is the clip's first frame in the 2B family, which leaves `special_token` unused, and
    the token before the clip in XL.
    """

    def __init__(self, config: DiTConfig, ops: Ops) -> None:
        super().__init__(config.encoder, config.latent_channels, config.timbre_layers, ops)
        self.special_token = ops.parameter(1, 1, config.encoder.hidden_size)
        self.cls = config.timbre_cls

    def forward(self, x: Tensor) -> Tensor:
        """Clips [R, T, C] to [R, E]."""
        embedded = self.embed_tokens(x)  # [R, T, E]
        if self.cls:
            token = self.special_token.to(embedded).expand(len(embedded), -1, -1)
            embedded = torch.cat((token, embedded), dim=1)  # [R, 1 + T, E]
        return self.first_token(embedded)


class ConditionEncoder(nn.Module):
    """Lyrics, timbre and text of one item to the sequence that cross-attention reads.

    One item at a time, so nothing is padded. The official code pads a batch and its DiT then
    attends to the padding; here item i of a batch is item i alone.
    """

    def __init__(self, config: DiTConfig, ops: Ops) -> None:
        super().__init__()
        size = config.encoder
        self.text_projector = ops.linear(config.text_hidden_size, size.hidden_size, bias=False)
        self.lyric_encoder = Encoder(size, config.text_hidden_size, config.lyric_layers, ops)
        self.timbre_encoder = TimbreEncoder(config, ops)

    def forward(self, text: Tensor, lyrics: Tensor, timbre: Tensor) -> Tensor:
        """Text states [1, n, 1024], lyric embeddings [1, m, 1024] and reference clips [R, 750, 64]
        of one item to [1, m + R + n, E]: lyrics, one vector per clip, text."""
        vectors = self.timbre_encoder(timbre).unsqueeze(0)  # [1, R, E]
        return torch.cat((self.lyric_encoder(lyrics), vectors, self.text_projector(text)), dim=1)


class AceStepModel(nn.Module):
    """The modules of one checkpoint. Each is called by the stage that needs it; there is no
    forward, because the condition encoder runs once per generation and the decoder once per step.
    """

    def __init__(self, config: DiTConfig, ops: Ops = TORCH) -> None:
        super().__init__()
        self.config = config
        self.decoder = DiT(config, ops)
        self.encoder = ConditionEncoder(config, ops.exact)
        self.tokenizer = CodeTokenizer(config, ops.exact)
        self.detokenizer = CodeDetokenizer(config, ops.exact)
        self.null_condition_emb = ops.parameter(1, 1, config.encoder.hidden_size)

    def hints(self, codes: Tensor, dtype: torch.dtype | None = None) -> Tensor:
        """Codes [B, S] to 25 Hz latents [B, 5 * S, C], computed in `dtype`, by default the
        weights' own."""
        dtype = dtype or self.detokenizer.special_tokens.dtype
        return self.detokenizer(self.tokenizer.embed(codes).to(dtype))
