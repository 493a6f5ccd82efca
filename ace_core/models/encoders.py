"""The condition encoder: lyrics, timbre and text become the sequence that the DiT reads.

One item at a time, so nothing is padded. The official code pads a batch and its DiT then attends
to the padding; here item i of a batch is item i alone.
Source: ACE-Step-1.5 modeling_acestep_v15_*.py, AceStepConditionEncoder.
"""

import torch
from torch import Tensor, nn

from .attention import Encoder
from .config import DiTConfig
from .ops import Ops


class TimbreEncoder(Encoder):
    """A reference clip to one vector: the state of the first place.

    That place is the clip's first frame in the 2B family, which leaves `special_token` unused,
    and the token set before the clip in XL.
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
        return self.run_layers(embedded)[:, 0]


class ConditionEncoder(nn.Module):
    """Everything the DiT hears and reads of one item, in one sequence."""

    def __init__(self, config: DiTConfig, ops: Ops) -> None:
        super().__init__()
        size = config.encoder
        self.text_projector = ops.linear(config.text_hidden_size, size.hidden_size, bias=False)
        self.lyric_encoder = Encoder(size, config.text_hidden_size, config.lyric_layers, ops)
        self.timbre_encoder = TimbreEncoder(config, ops)

    def forward(self, text: Tensor, lyrics: Tensor, timbre: Tensor) -> Tensor:
        """Text states [1, n, 1024], lyric embeddings [1, m, 1024] and reference clips [R, 750, 64]
        of one item to [1, m + R + n, E]: lyrics, one vector a clip, text."""
        vectors = self.timbre_encoder(timbre).unsqueeze(0)  # [1, R, E]
        return torch.cat((self.lyric_encoder(lyrics), vectors, self.text_projector(text)), dim=1)
