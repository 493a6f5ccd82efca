"""A native CLIP, made by the host's own loaders, used as our text encoder and our language model.

DualCLIPLoader (type ace) holds both in one object, under one patcher; so do we. Tokens, prompts
and grammars are ours, the layers are those that the host loaded.
"""

from typing import Any

import torch
from torch import nn

from ...ace_core.errors import CheckpointError
from ...ace_core.models.qwen3 import Qwen3, Qwen3Config
from ...ace_core.weights.load import skip_init
from .language_model import ManagedLanguageModel
from .precision import compute_dtype
from .qwen3 import DTYPES
from .rehouse import shapes_of, share_weights
from .text_encoder import ManagedTextEncoder
from .tokenizers import host_tokenizer

_TEXT = "qwen3_06b"  # the host's name of the text encoder


def text_encoder_of(clip: Any) -> ManagedTextEncoder:
    """A text encoder of ours as it is, or the one inside a CLIP.

    Raises:
        CheckpointError: a CLIP of another family.
    """
    if isinstance(clip, ManagedTextEncoder):
        return clip
    net = _transformer(clip, _TEXT, "text encoder")
    patcher = clip.patcher
    return ManagedTextEncoder(
        host_tokenizer(), _qwen3(net), patcher.load_device, _dtype(net, patcher), patcher
    )


def language_model_of(clip: Any) -> ManagedLanguageModel:
    """A language model of ours as it is, or the one inside a CLIP.

    Raises:
        CheckpointError: a CLIP of another family, or one without a language model.
    """
    if isinstance(clip, ManagedLanguageModel):
        return clip
    held = getattr(_managed(clip), "lm_model", None)
    net = _transformer(clip, held or "", "language model")
    patcher = clip.patcher
    return ManagedLanguageModel(_qwen3(net), host_tokenizer(), patcher, _dtype(net, patcher))


def _managed(clip: Any) -> Any:
    """The models that the CLIP's patcher loads: the host's choice of a device for it puts others
    there and leaves `cond_stage_model` behind."""
    return getattr(getattr(clip, "patcher", None), "model", None)


def _transformer(clip: Any, name: str, what: str) -> nn.Module:
    stage = _managed(clip)
    part = getattr(stage, name, None) if name else None
    if part is None:
        raise CheckpointError(
            f"The CLIP ({type(stage).__name__}) holds no {what} of ACE-Step 1.5. Connect the "
            f"ACE-Step {what} loader, or DualCLIPLoader with the type 'ace', the text encoder "
            "'qwen_0.6b_ace15' and a language model 'qwen_1.7b_ace15' or 'qwen_4b_ace15'."
        )
    return part.transformer.model


def _qwen3(held: nn.Module) -> Qwen3:
    made = skip_init(Qwen3, Qwen3Config.from_shapes(shapes_of(held)))
    return share_weights(made.requires_grad_(False), held)


def _dtype(net: nn.Module, patcher: Any) -> torch.dtype:
    """What to compute in; the host's layers cast their weights to it."""
    stored = net.get_submodule("norm").weight.dtype
    held, cast = compute_dtype("auto", stored, patcher.load_device, DTYPES)  # type: ignore[reportArgumentType]
    return cast or held
