"""Text prompt and lyrics to the inputs of the condition encoder. Knows tokens and Qwen3, no tasks.

Each item is tokenised alone. The published tokenizer appends one end token to the one that
the template ends with; we append it ourselves, so that any Qwen tokenizer gives the same ids.
Source: acestep/core/generation/handler/conditioning_text.py.
"""

import logging
from dataclasses import dataclass

import torch
from torch import Tensor

from ..constants import END_OF_TEXT, LYRIC_TOKENS, TEXT_TOKENS
from ..models.qwen3 import Qwen3
from ..tokens import Tokenizer, required_id

logger = logging.getLogger(__name__)


def prompt_ids(tokenizer: Tokenizer, text: str, limit: int, name: str) -> list[int]:
    """Token ids of `text`, cut to `limit` with the appended end token always kept."""
    ids = tokenizer.encode(text)
    content = ids[: limit - 1]
    if len(ids) > len(content):
        logger.warning(
            "The %s is %d tokens long and the model reads %d: it does not see %r.",
            name,
            len(ids),
            len(content),
            tokenizer.decode(ids[len(content) :]),
        )
    return [*content, required_id(tokenizer, END_OF_TEXT)]


@dataclass(frozen=True, slots=True, eq=False)
class TextEncoder:
    """Qwen3-Embedding with its tokenizer.

    `device` is where token ids are put; None means beside the embedding table. `dtype` is what is
    computed in; None means the weights' own. A host whose layers move and cast their weights at
    every call names both.
    """

    tokenizer: Tokenizer
    model: Qwen3
    device: torch.device | None = None
    dtype: torch.dtype | None = None

    @torch.inference_mode()
    def states(self, prompt: str) -> Tensor:
        """Normed last hidden states of the text prompt, [1, L, 1024]."""
        return self.model(self._embedded(prompt, TEXT_TOKENS, "text prompt"))

    @torch.inference_mode()
    def embeddings(self, lyrics: str) -> Tensor:
        """Token embeddings of the lyric prompt, [1, L, 1024]; no transformer reads them."""
        return self._embedded(lyrics, LYRIC_TOKENS, "lyric prompt")

    def _embedded(self, text: str, limit: int, name: str) -> Tensor:
        ids = prompt_ids(self.tokenizer, text, limit, name)
        device = self.device or next(self.model.embed_tokens.parameters()).device
        return self.model.embed(torch.tensor([ids], device=device), self.dtype)
