"""The two Qwen3 models, text encoder and language model, under the host's memory manager."""

import logging
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import comfy.model_management
import comfy.model_patcher
import comfy.ops
import torch
from torch import Tensor

from ...ace_core.conditioning.text import TextEncoder, fit_caption, lyric_warnings
from ...ace_core.constants import LYRIC_TOKENS, TEXT_TOKENS
from ...ace_core.lm.cuda_graph import Capture, cuda_graph_capture
from ...ace_core.lm.decoding import OnStep, Step, log_tokens
from ...ace_core.lm.language_model import LanguageModel
from ...ace_core.models.ops import Ops
from ...ace_core.models.qwen3 import Qwen3
from ...ace_core.prompts import TEXT_TO_MUSIC, lyric_prompt, text_prompt
from ...ace_core.tokens import Tokenizer, holds_tokenizer, load_tokenizer
from ...ace_core.types import Song
from ...ace_core.weights import load
from ...ace_core.weights.checkpoint import Checkpoint, Kind
from ...ace_core.weights.detect import inspect
from ...ace_core.weights.load import qwen3_config, skip_init
from ...ace_core.weights.shards import tokenizer_file
from .frontend import progress_bar
from .precision import compute_dtype, decoding_dtype, host_ops
from .quantised import quantised

logger = logging.getLogger(__name__)

_LOADERS = {Kind.TEXT_ENCODER: load.load_text_encoder, Kind.LM: load.load_lm}


@dataclass(frozen=True, slots=True, eq=False)
class ManagedTextEncoder(TextEncoder):
    """A text encoder that the host loads before each use."""

    patcher: Any = None

    def states(self, prompt: str) -> Tensor:
        self._load()
        return TextEncoder.states(self, prompt)

    def embeddings(self, lyrics: str) -> Tensor:
        self._load()
        return TextEncoder.embeddings(self, lyrics)

    def _load(self) -> None:
        config = self.model.config
        widest = 2 * config.intermediate_size + 4 * config.hidden_size
        comfy.model_management.load_models_gpu(
            [self.patcher],
            memory_required=TEXT_TOKENS * widest * 4,  # lyrics are a lookup
        )


def load_text_encoder(path: Path, dtype: str = "auto") -> ManagedTextEncoder:
    """
    Raises:
        CheckpointError: there is no text encoder of ACE-Step 1.5 at `path`, or no tokenizer.
    """
    made = load_qwen3(path, Kind.TEXT_ENCODER, dtype)
    device = made.patcher.load_device
    return ManagedTextEncoder(made.tokenizer, made.model, device, made.cast, patcher=made.patcher)


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

    def plain_layers(self) -> list[torch.nn.Linear]:
        plain = comfy.ops.pick_operations(self.dtype, None, load_device=self.device).Linear
        layers: list[Any] = [layer for layer in self.model.modules() if type(layer) is plain]
        return [
            layer
            for layer in layers
            if not (layer.comfy_cast_weights or layer.weight_function or layer.bias_function)
        ]

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
    loaded = load_qwen3(path, Kind.LM, dtype, resident=capture is not None)
    lm = ManagedLanguageModel(
        loaded.model, loaded.tokenizer, loaded.patcher, loaded.cast or loaded.weight_dtype
    )
    lm.cuda_graphs = capture
    return lm


def token_progress(
    lm: LanguageModel, trace: bool = False, unit: str = "token", open_end: bool = True
) -> OnStep:
    """A callback that updates the node's progress and checks for an interrupt at each token, as
    `progress_bar`.

    `trace` writes each token to the log, with the field or phase that it belongs to.
    """
    report = progress_bar(unit, open_end)

    def on_step(step: Step) -> None:
        report(step.done, step.total)
        if trace:
            log_tokens(lm, step)

    return on_step


class LoadedQwen3(NamedTuple):
    """`cast` is what its layers compute in when that is not `weight_dtype`."""

    model: Qwen3
    patcher: Any
    tokenizer: Tokenizer
    weight_dtype: torch.dtype
    cast: torch.dtype | None


def load_qwen3(path: Path, kind: Kind, dtype: str, resident: bool = False) -> LoadedQwen3:
    """A `resident` model stays where it was loaded, for recordings of what runs on it: the core's
    own patcher may page weights in and out at any time.

    Raises:
        CheckpointError: there is no such model at `path`, or no tokenizer for it.
    """
    checkpoint = inspect(path)
    tokenizer = tokenizer_of(checkpoint, kind)
    device = comfy.model_management.text_encoder_device()
    model, weight_dtype, cast = _filled(checkpoint, kind, dtype, device)
    comfy.model_management.archive_model_dtypes(model)
    model.manual_cast_dtype = cast
    offload_device = comfy.model_management.text_encoder_offload_device()
    manager = comfy.model_patcher
    patcher_class = manager.ModelPatcher if resident else manager.CoreModelPatcher
    patcher = patcher_class(model, load_device=device, offload_device=offload_device)
    patcher.cached_patcher_init = (_loaded_again, (path, kind, dtype))
    return LoadedQwen3(model, patcher, tokenizer, weight_dtype, cast)


def _loaded_again(path: Path, kind: Kind, dtype: str, disable_dynamic: bool = False) -> Any:
    """What the host calls for a patcher of the same model with weights of its own."""
    return load_qwen3(path, kind, dtype, resident=disable_dynamic).patcher


def _filled(
    checkpoint: Checkpoint, kind: Kind, dtype: str, device: torch.device
) -> tuple[Any, torch.dtype, torch.dtype | None]:
    packed = quantised(checkpoint, kind)
    if packed is None:
        stored = checkpoint.part(kind).dtype
        format_of = decoding_dtype if kind is Kind.LM else compute_dtype
        weight_dtype, cast = format_of(dtype, stored, device)
        made = _LOADERS[kind](checkpoint.path, host_ops(dtype, weight_dtype, cast, device))
        return made, weight_dtype, cast
    sizes = qwen3_config(packed.checkpoint, kind)
    weight_dtype, cast = packed.dtypes(dtype, device)
    model = Qwen3(
        sizes, Ops(packed.operations(weight_dtype, cast, device), packed.device, weight_dtype)
    )
    packed.fill(model, skip_init(Qwen3, sizes), weight_dtype)
    return model.eval(), weight_dtype, cast


def tokenizer_of(checkpoint: Checkpoint, kind: Kind) -> Tokenizer:
    """
    Raises:
        CheckpointError: the checkpoint holds no such model, or its tokenizer is broken.
    """
    file = tokenizer_file(checkpoint, kind)
    if file is not None:
        return load_tokenizer(file)
    return host_tokenizer()


@cache
def host_tokenizer() -> Tokenizer:
    """The tokenizer that ComfyUI carries for its own ACE-Step nodes."""
    return load_tokenizer(_host_tokenizer_folder())


def _host_tokenizer_folder() -> Path:
    return Path(comfy.ops.__file__).parent / "text_encoders" / "qwen25_tokenizer"


def length_warnings(song: Song) -> list[str]:
    """What the model does not read of `song` in text to music. The tokenizer is loaded for long
    texts only: a token is at least a byte. Without ComfyUI's own there are no warnings."""
    lengths = [len(text_prompt(song, TEXT_TO_MUSIC, song.seconds).encode()) < TEXT_TOKENS]
    lengths.append(len(lyric_prompt(song).encode()) < LYRIC_TOKENS)
    if all(lengths) or not holds_tokenizer(_host_tokenizer_folder()):
        return []
    tokenizer = host_tokenizer()
    fitted = fit_caption(tokenizer, song, TEXT_TO_MUSIC, song.seconds)
    return [*fitted.warnings, *lyric_warnings(tokenizer, song)]
