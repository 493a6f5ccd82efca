"""A Qwen3 of a file, text encoder or language model, under the host's memory manager."""

from pathlib import Path
from typing import Any, NamedTuple

import comfy.model_management
import comfy.model_patcher
import torch

from ...ace_core.models.ops import Ops
from ...ace_core.models.qwen3 import Qwen3
from ...ace_core.tokens import Tokenizer
from ...ace_core.weights import load
from ...ace_core.weights.checkpoint import Checkpoint, Kind
from ...ace_core.weights.detect import inspect
from ...ace_core.weights.load import qwen3_config, skip_init
from .precision import compute_dtype, host_ops, writing_dtype
from .quantised import quantised
from .tokenizers import tokenizer_of

DTYPES = (torch.bfloat16, torch.float32)
_LOADERS = {Kind.TEXT_ENCODER: load.load_text_encoder, Kind.LM: load.load_lm}


class ManagedQwen3(NamedTuple):
    """`cast` is what its layers compute in when that is not how they are held."""

    model: Qwen3
    patcher: Any
    tokenizer: Tokenizer
    held: torch.dtype
    cast: torch.dtype | None


def load_qwen3(path: Path, kind: Kind, dtype: str, steady: bool = False) -> ManagedQwen3:
    """A `steady` model stays where it was loaded, for recordings of what runs on it: the core's
    own patcher may page weights in and out at any time.

    Raises:
        CheckpointError: there is no such model at `path`, or no tokenizer for it.
    """
    checkpoint = inspect(path)
    tokenizer = tokenizer_of(checkpoint, kind)
    place = comfy.model_management.text_encoder_device()
    model, held, cast = _filled(checkpoint, kind, dtype, place)
    comfy.model_management.archive_model_dtypes(model)
    model.manual_cast_dtype = cast
    rest = comfy.model_management.text_encoder_offload_device()
    manager = comfy.model_patcher
    patcher_class = manager.ModelPatcher if steady else manager.CoreModelPatcher
    patcher = patcher_class(model, load_device=place, offload_device=rest)
    patcher.cached_patcher_init = (_loaded_again, (path, kind, dtype))
    return ManagedQwen3(model, patcher, tokenizer, held, cast)


def _loaded_again(path: Path, kind: Kind, dtype: str, disable_dynamic: bool = False) -> Any:
    """What the host calls for a patcher of the same model with weights of its own."""
    return load_qwen3(path, kind, dtype, steady=disable_dynamic).patcher


def _filled(
    checkpoint: Checkpoint, kind: Kind, dtype: str, place: torch.device
) -> tuple[Any, torch.dtype, torch.dtype | None]:
    packed = quantised(checkpoint, kind)
    if packed is None:
        stored = checkpoint.part(kind).dtype
        format_of = writing_dtype if kind is Kind.LM else compute_dtype
        held, cast = format_of(dtype, stored, place, DTYPES)
        made = _LOADERS[kind](checkpoint.path, host_ops(dtype, held, cast, place))
        return made, held, cast
    sizes = qwen3_config(packed.checkpoint, kind)
    held, cast = packed.dtypes(dtype, place, DTYPES)
    model = Qwen3(sizes, Ops(packed.operations(held, cast, place), packed.device, held))
    packed.fill(model, skip_init(Qwen3, sizes), held)
    return model.eval(), held, cast
