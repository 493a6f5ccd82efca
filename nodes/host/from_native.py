"""Native models, made by ComfyUI's own loaders, used as ours: MODEL and CLIP.

The host keeps its patcher: its weights, LoRAs, quantised layers and memory management. Only when a
run begins, the sampler gets our model around the same layers, which knows every task and runs the
condition encoder once. DualCLIPLoader (type ace) holds text encoder and language model in one
object, under one patcher; so do we. Tokens, prompts and grammars are ours.
"""

import importlib
import weakref
from pathlib import Path
from typing import Any, Final

import comfy.model_base
import comfy.patcher_extension
import torch
from torch import Tensor, nn

from ...ace_core.errors import CheckpointError, InvalidScheduleError
from ...ace_core.models.config import DiTConfig
from ...ace_core.models.qwen3 import Qwen3, Qwen3Config
from ...ace_core.sampling.presets import merge_advice
from ...ace_core.types import Variant
from ...ace_core.weights.detect import merged_variants
from ...ace_core.weights.detect import variant_of as variant_by_name
from ...ace_core.weights.load import SkipInitMode, skip_init
from ...ace_core.weights.silence import FRAMES as SILENCE_FRAMES
from .conditioning import KEY
from .model import AceModel, AceNet
from .precision import compute_dtype
from .qwen3 import ManagedLanguageModel, ManagedTextEncoder, host_tokenizer
from .share_weights import shapes_of, share_weights

_COMPILED: Final = "torch.compile"  # key of the host's wrapper around a compiled network
_TEXT: Final = "qwen3_06b"  # the host's name of the text encoder


def from_native(model: Any, variant: Variant | None = None) -> Any:
    """The MODEL itself if it is ours, else a clone that samples as ours, with `variant` attached.

    Raises:
        CheckpointError: it is no model of ACE-Step 1.5.
    """
    native = not isinstance(model.model, AceModel)
    if native:
        check_family(model)
    kind = comfy.patcher_extension.WrappersMP.PREPARE_SAMPLING
    wrapped = native and bool(model.get_wrappers(kind, KEY))
    if variant is None and wrapped == native:
        return model
    clone = model.clone()
    if wrapped != native:
        clone.add_wrapper_with_key(kind, KEY, _prepare_with_ace_model)
    if variant is not None:
        clone.set_attachments(KEY, variant)
    return clone


def _prepare_with_ace_model(prepare: Any, patcher: Any, *args: Any, **kwargs: Any) -> Any:
    """Around the preparation of a run: the sampler gets our model instead of the host's."""
    _refuse_compiled(patcher)
    _, conds, models = prepare(patcher, *args, **kwargs)
    made = ace_model_of(patcher)
    others = [each for each in models if getattr(each, "is_multigpu_base_clone", False)]
    if others:
        by_id = {id(patcher.model): made} | {id(each.model): ace_model_of(each) for each in others}
        _apply_on_every_device(by_id, kwargs["model_options"])
    return made, conds, models


def _apply_on_every_device(by_id: dict[int, AceModel], options: dict[str, Any]) -> None:
    """For this run: the model of each device's clone is replaced, by `id`, with ours.

    `options` are this run's, so nothing of it stays.
    """

    def apply_model(run: Any, *args: Any, **kwargs: Any) -> Tensor:
        model = by_id.get(id(run.class_obj))
        return run(*args, **kwargs) if model is None else model._apply_model(*args, **kwargs)

    kind = comfy.patcher_extension.WrappersMP.APPLY_MODEL
    # the last wrapper of the list, so that those of others are around it
    comfy.patcher_extension.add_wrapper_with_key(kind, KEY, apply_model, options, True)


def ace_model_of(patcher: Any) -> AceModel:
    """Our model of a MODEL: its own, or one around the layers that the host loaded.

    Raises:
        CheckpointError: it is no model of ACE-Step 1.5.
    """
    base = patcher.model
    if isinstance(base, AceModel):
        return base
    check_family(patcher)
    config = type(base.model_config)({"disable_unet_model_creation": True})
    made = AceModel(config, device=base.device)
    native_net = base.diffusion_model
    with SkipInitMode():
        sizes = DiTConfig.from_shapes(shapes_of(native_net), {})
        empty = AceNet(sizes, native_net.dtype, torch.device("meta"), torch.nn)
    made.diffusion_model = share_weights(empty.requires_grad_(False), native_net)
    made.manual_cast_dtype = base.manual_cast_dtype
    made.model_sampling = base.model_sampling  # the host's shift node puts another one there
    made.current_patcher = weakref.proxy(patcher)  # which holds what made this
    made.variant = known_variant(patcher)
    made.fallback_silence = _host_silence
    return made


def _host_silence() -> Tensor:
    """The published VAE's silence [1, S, C] of the host, for conditioning of its own text node."""
    ace = importlib.import_module("comfy.ldm.ace.ace_step15")
    return ace.get_silence_latent(SILENCE_FRAMES, torch.device("cpu")).transpose(1, 2)


def known_variant(model: Any) -> Variant | None:
    """What a MODEL was trained as, if known: from the user, its loader, or its file's name."""
    chosen = model.get_attachment(KEY)
    return chosen or getattr(model.model, "variant", None) or _variant_by_file(model)


def variant_of(model: Any) -> Variant:
    """What a MODEL was trained as.

    Raises:
        InvalidScheduleError: its variant is not known.
    """
    variant = known_variant(model)
    if variant is None:
        raise InvalidScheduleError(
            "The model's variant is not known, so nothing can be chosen automatically. Set "
            "`variant` on ACE-Step Load Model, or on ACE-Step Adopt Model after another loader, "
            f"or choose custom settings. {_merge_advice(model)}".rstrip()
        )
    return variant


def variant_notes(model: Any) -> list[str]:
    """What to do where a MODEL is a merge of two variants and neither was chosen."""
    advice = "" if known_variant(model) else _merge_advice(model)
    return [advice] if advice else []


def _merge_advice(model: Any) -> str:
    path = _file_of(model)
    return "" if path is None else merge_advice(merged_variants(path))


def _variant_by_file(model: Any) -> Variant | None:
    """By the name of the file that the host's loader read; others do not record it."""
    path = _file_of(model)
    return None if path is None else variant_by_name({}, path)


def _file_of(model: Any) -> Path | None:
    """The file that a MODEL was loaded from, where its loader recorded it."""
    recipe = getattr(model, "cached_patcher_init", None)
    path = recipe[1][0] if recipe and recipe[1] else None
    return Path(path) if isinstance(path, str | Path) else None


def check_family(model: Any) -> None:
    base = model.model
    if not isinstance(base, comfy.model_base.ACEStep15):
        raise CheckpointError(
            f"The MODEL is of another family ({type(base).__name__}); this node needs ACE-Step "
            "1.5. Connect ACE-Step Load Model, or ComfyUI's own loader with an 'acestep_v1.5_…' "
            "file."
        )


def _refuse_compiled(patcher: Any) -> None:
    kind = comfy.patcher_extension.WrappersMP.APPLY_MODEL
    if patcher.get_wrappers(kind, _COMPILED):
        raise CheckpointError(
            "TorchCompileModel has compiled the network of ComfyUI's own loader, which knows no "
            "ACE-Step tasks. Load the file with ACE-Step Load Model and compile that, or take "
            "TorchCompileModel away."
        )


def text_encoder_of(clip: Any) -> ManagedTextEncoder:
    """A text encoder of ours as it is, or the one inside a CLIP.

    Raises:
        CheckpointError: a CLIP of another family.
    """
    if isinstance(clip, ManagedTextEncoder):
        return clip
    net = _transformer(clip, _TEXT, "text encoder")
    patcher = clip.patcher
    dtype = _dtype(net, patcher)
    device = patcher.load_device
    return ManagedTextEncoder(host_tokenizer(), _qwen3(net), device, dtype, patcher=patcher)


def language_model_of(clip: Any) -> ManagedLanguageModel:
    """A language model of ours as it is, or the one inside a CLIP.

    Raises:
        CheckpointError: a CLIP of another family, or one without a language model.
    """
    if isinstance(clip, ManagedLanguageModel):
        return clip
    name = getattr(_managed(clip), "lm_model", None)
    net = _transformer(clip, name or "", "language model")
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


def _qwen3(native_net: nn.Module) -> Qwen3:
    made = skip_init(Qwen3, Qwen3Config.from_shapes(shapes_of(native_net)))
    return share_weights(made.requires_grad_(False), native_net)


def _dtype(net: nn.Module, patcher: Any) -> torch.dtype:
    """What to compute in; the host's layers cast their weights to it."""
    stored = net.get_submodule("norm").weight.dtype
    weight_dtype, cast = compute_dtype("auto", stored, patcher.load_device)  # type: ignore[reportArgumentType]
    return cast or weight_dtype
