"""All of an ACE-Step 1.5 diffusion checkpoint under its official parameter names, 2B and XL."""

import torch
from torch import Tensor, nn

from .codes import CodeDetokenizer, CodeTokenizer
from .config import DiTConfig
from .dit import DiT
from .encoders import ConditionEncoder
from .ops import TORCH, Ops


class AceStepModel(nn.Module):
    """The parts of one checkpoint. Each is called by the stage that needs it; there is no forward,
    because the condition encoder runs once a generation and the decoder once a step."""

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
