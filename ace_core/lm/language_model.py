"""A language model ready to decode: weights, vocabulary, device and dtype."""

from functools import cached_property

import torch
from torch import nn

from ..models.onednn import Linear
from ..models.qwen3 import Qwen3
from ..tokens import Tokenizer
from .cuda_graph import Capture
from .metadata_grammar import MetadataGrammar
from .sampling import MaskCache
from .vocabulary import Vocabulary

MAX_LENGTH = 40_960  # positions, prompt and reply together, that Qwen3 was trained for


class LanguageModel:
    """`device` and `dtype` are what it computes with: those of its weights unless a host, whose
    layers cast, says otherwise.

    Raises:
        CheckpointError: the model is no ACE-Step 1.5 language model, or the tokenizer is another
            model's.
    """

    def __init__(
        self,
        model: Qwen3,
        tokenizer: Tokenizer,
        device: torch.device | str | None = None,
        dtype: torch.dtype | None = None,
    ) -> None:
        self.model = model
        self.vocabulary = Vocabulary(tokenizer, model.config.vocab_size)
        weight = next(model.parameters())
        self.device = torch.device(weight.device if device is None else device)
        self.dtype = weight.dtype if dtype is None else dtype
        self._mask_caches: dict[range, MaskCache] = {}
        self.capture: Capture | None = None  # `cuda_graph_capture(device)`: steps are CUDA graphs

    @cached_property
    def grammar(self) -> MetadataGrammar:
        return MetadataGrammar(self.vocabulary)

    def mask_cache(self, vocab_range: range) -> MaskCache:
        """Masks over the logits of these tokens, kept from run to run."""
        if vocab_range not in self._mask_caches:
            self._mask_caches[vocab_range] = MaskCache(vocab_range, self.device)
        return self._mask_caches[vocab_range]

    def reserve_memory(self, bytes_needed: int) -> None:
        """Called before each run with the memory it takes beside the weights.

        Nothing is done here; a host that moves models overrides it.
        """

    def plain_layers(self) -> list[nn.Linear]:
        """The layers that multiply by their weights as they are stored, which may be laid out
        anew for a run. A host, whose layers may cast or patch, overrides it."""
        return [
            layer
            for layer in self.model.modules()
            if isinstance(layer, nn.Linear) and type(layer) in (nn.Linear, Linear)
        ]
