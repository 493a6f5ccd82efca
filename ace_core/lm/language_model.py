"""A language model ready to write: weights, vocabulary, and where and in what it computes."""

from functools import cached_property

import torch

from ..models.qwen3 import Qwen3
from ..tokens import Tokenizer
from .fields import Fields
from .masking import Masks
from .replay import Recorder
from .vocabulary import Vocabulary

LONGEST_TEXT = 40_960  # positions, prompt and reply together, that Qwen3 was trained for


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
        self._masks: dict[range, Masks] = {}
        self.recorder: Recorder | None = None  # `recorder_for(device)`: steps are replayed

    @cached_property
    def fields(self) -> Fields:
        """The grammars of this model's vocabulary."""
        return Fields(self.vocabulary)

    def masks(self, rows: range) -> Masks:
        """What makes sets of legal tokens masks over these rows of the head."""
        if rows not in self._masks:
            self._masks[rows] = Masks(rows, self.device)
        return self._masks[rows]

    def make_room(self, bytes_needed: int) -> None:
        """Called before each run with the memory it takes beside the weights.

        Nothing is done here; a host that moves models overrides it.
        """
