"""The 5 Hz language model under the host's memory manager, with its tokenizer."""

import logging
from pathlib import Path
from typing import Any

import comfy.model_management
import comfy.utils
import torch

from ...ace_core.lm.cuda_graph import Capture, cuda_graph_capture
from ...ace_core.lm.decoding import OnStep, Step, log_tokens
from ...ace_core.lm.language_model import LanguageModel
from ...ace_core.models.qwen3 import Qwen3
from ...ace_core.tokens import Tokenizer
from ...ace_core.weights.checkpoint import Kind
from .qwen3 import load_qwen3

logger = logging.getLogger(__name__)


class ManagedLanguageModel(LanguageModel):
    """A language model that the host loads before each run. With `cuda_graphs` its steps are CUDA
    graphs, in the runs for which the host loads all of its weights."""

    def __init__(
        self, model: Qwen3, tokenizer: Tokenizer, patcher: Any, dtype: torch.dtype
    ) -> None:
        super().__init__(model, tokenizer, patcher.load_device, dtype)
        self.patcher = patcher  # the host itself only keeps a weak reference
        self.cuda_graphs: Capture | None = None

    def reserve_memory(self, bytes_needed: int) -> None:
        comfy.model_management.load_models_gpu([self.patcher], memory_required=bytes_needed)
        if self.cuda_graphs is None:
            return
        # a graph reads the weights where they were captured
        self.capture = self.cuda_graphs if self.fully_loaded() else None
        if self.capture is None:
            logger.warning(
                "CUDA graphs are off for this run: the language model does not fit as a whole."
            )

    def fully_loaded(self) -> bool:
        return self.patcher.loaded_size() >= self.patcher.model_size()


def load_language_model(
    path: Path, dtype: str = "auto", cuda_graphs: bool = False
) -> ManagedLanguageModel:
    """
    Raises:
        CheckpointError: there is no language model of ACE-Step 1.5 at `path`, or its tokenizer is
            missing or another model's.
        InvalidRequestError: `cuda_graphs` on a device that has none.
    """
    device = comfy.model_management.text_encoder_device()
    capture = cuda_graph_capture(device) if cuda_graphs else None
    loaded = load_qwen3(path, Kind.LM, dtype, steady=capture is not None)
    lm = ManagedLanguageModel(
        loaded.model, loaded.tokenizer, loaded.patcher, loaded.cast or loaded.held
    )
    lm.cuda_graphs = capture
    return lm


def token_progress(lm: LanguageModel, trace: bool = False) -> OnStep:
    """A callback that updates the node's progress bar and checks for an interrupt at each token.

    `trace` writes each token to the log, with the field or phase that it belongs to.
    """
    bar = None

    def on_step(step: Step) -> None:
        nonlocal bar
        comfy.model_management.throw_exception_if_processing_interrupted()
        if bar is None:
            bar = comfy.utils.ProgressBar(step.total)
        bar.update_absolute(step.done, step.total)
        if trace:
            log_tokens(lm, step)

    return on_step
