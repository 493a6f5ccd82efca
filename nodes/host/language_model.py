"""The 5 Hz language model under the host's memory manager, with its tokenizer."""

import logging
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.utils
import torch

from ...ace_core.lm.decoding import OnStep, Step
from ...ace_core.lm.language_model import LanguageModel
from ...ace_core.lm.replay import Recorder, recorder_for
from ...ace_core.lm.tracing import traced
from ...ace_core.models.qwen3 import Qwen3
from ...ace_core.tokens import Tokenizer
from ...ace_core.weights.checkpoint import Kind
from .qwen3 import load_qwen3

logger = logging.getLogger(__name__)


class ManagedLanguageModel(LanguageModel):
    """A language model that asks the host for its place before each run. With `graphs` its steps
    are recorded and replayed, in the runs for which the host has room for all of its weights."""

    def __init__(
        self, model: Qwen3, tokenizer: Tokenizer, patcher: Any, dtype: torch.dtype
    ) -> None:
        super().__init__(model, tokenizer, patcher.load_device, dtype)
        self.patcher = patcher  # the host itself only keeps a weak reference
        self.graphs: Recorder | None = None

    def make_room(self, bytes_needed: int) -> None:
        comfy.model_management.load_models_gpu([self.patcher], memory_required=bytes_needed)
        if self.graphs is None:
            return
        # weights that come and go are not where a recording looks for them
        self.recorder = self.graphs if self.wholly_loaded() else None
        if self.recorder is None:
            logger.warning(
                "CUDA graphs are off for this run: the language model does not fit as a whole."
            )

    def wholly_loaded(self) -> bool:
        return self.patcher.loaded_size() >= self.patcher.model_size()


def load_language_model(
    path: Path, dtype: str = "auto", cuda_graphs: bool = False
) -> ManagedLanguageModel:
    """
    Raises:
        CheckpointError: there is no language model of ACE-Step 1.5 at `path`, or its tokenizer is
            missing or another model's.
        InvalidRequestError: CUDA graphs are asked for where there are none.
    """
    place = comfy.model_management.text_encoder_device()
    graphs = recorder_for(place) if cuda_graphs else None
    made = load_qwen3(path, Kind.LM, dtype, steady=graphs is not None)
    lm = ManagedLanguageModel(made.model, made.tokenizer, made.patcher, made.cast or made.held)
    lm.graphs = graphs
    return lm


def watched(lm: LanguageModel, trace: bool = False) -> OnStep:
    """Moves the node's bar at each token, and stops there when the user asked for it.

    `trace` writes each token to the log, with the field or phase that it belongs to.
    """
    bar = None

    def report(step: Step) -> None:
        nonlocal bar
        comfy.model_management.throw_exception_if_processing_interrupted()
        if bar is None:
            bar = comfy.utils.ProgressBar(step.longest)
        bar.update_absolute(step.done, step.longest)

    return traced(lm, report, trace)
