"""The diffusion model as a stock MODEL: any sampler, LoRA loader or saver of the host takes it.

The host's layout is [B, C, T], the core's is [B, T, C]; the transpose is made here.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import comfy.conds
import comfy.latent_formats
import comfy.model_base
import comfy.model_detection
import comfy.model_management
import comfy.model_patcher
import torch
from torch import Tensor

from ...ace_core.conditioning import context as ctx
from ...ace_core.errors import InvalidRequestError
from ...ace_core.memory import memory_for
from ...ace_core.models.acestep import AceStepModel
from ...ace_core.models.config import DiTConfig
from ...ace_core.models.dit import memory_estimate
from ...ace_core.models.half import residual_dtype
from ...ace_core.models.int8 import names_to_quantize
from ...ace_core.models.ops import Ops
from ...ace_core.precision import check_finite
from ...ace_core.sampling.cover import switch_time, uses_source
from ...ace_core.sampling.finite import model_at
from ...ace_core.task import Task
from ...ace_core.types import Variant
from ...ace_core.weights.checkpoint import Checkpoint, Kind
from ...ace_core.weights.detect import inspect
from ...ace_core.weights.load import check_keys, dit_config, skip_init
from ...ace_core.weights.silence import stored_silence
from ...ace_core.weights.tensor_files import read
from .conditioning import GUARD, KEY, CondKV, items_of, task_of
from .lora import refuse_foreign_patches
from .precision import compute_dtype, quantized_linear
from .quantised import ForHostLayers, ForOwnRows, quantised
from .saving import for_saving, with_quantized_tensors

_ADVICE = "Make the song shorter or fewer at once, or load the model with dtype int8."
WITHOUT_SOURCE = "without_source_"  # prefix of the conditions for the steps without the source
SOURCE_WORDS = "source_words_"  # prefix of the conditions under the words of a morph's source
CORRECTOR = "ace_corrector"  # in the transformer's options: the second evaluation of a Heun step
DRAW = "ace_draw"  # there as well: the `Draw` of a morph


class Draw(NamedTuple):
    """One evaluation of a morph: under which words, and which draw of a step it is."""

    source_words: bool  # those of the source as it is, not those that it gets
    index: int = 0
    count: int = 1


class AceNet(AceStepModel):
    """The core's model behind the host's calling convention."""

    def __init__(
        self,
        ace: DiTConfig,
        dtype: Any,
        device: Any,
        operations: Any,
        quantized: Any = None,
        **_: Any,
    ) -> None:
        super().__init__(ace, Ops(operations, device, dtype, quantized))
        self.dtype = dtype

    def state_dict(self, *given: Any, prefix: str = "", **more: Any) -> Any:
        """As the host wants to save it, and counts its bytes."""
        state = super().state_dict(*given, prefix=prefix, **more)
        state.update(with_quantized_tensors(self, state, prefix))
        return state

    def forward(
        self, x: Tensor, timestep: Tensor, context: Tensor | None = None, **conds: Any
    ) -> Tensor:
        """`x` [B, C, T] at `timestep` [B] to a velocity [B, C, T].

        With hooks, weights may change at every step: then `context` [B, L, E] comes instead of
        `ace_kv`, the keys and values that were made of it.
        """
        if context is None:
            kv = kv_pairs(conds["ace_kv"])
        else:
            kv = self.decoder.cross_attention_kv(context)
        sources = conds["ace_context"].transpose(1, 2)  # [B, T, 2C]
        return self.decoder(x.transpose(1, 2), timestep, sources, kv).transpose(1, 2)


def kv_pairs(flat: list[Tensor]) -> list[tuple[Tensor, Tensor]]:
    """[k0, v0, k1, v1, ...], which the host can cast and batch, as (k, v) of each layer."""
    return list(zip(flat[::2], flat[1::2], strict=True))


def conds_at(given: dict[str, Any], t: float, options: dict[str, Any]) -> dict[str, Any]:
    """The conditions of flow time `t`: those with the source, or after the switch those without.

    Raises:
        InvalidRequestError: the host does not say which steps are taken.
    """
    strength = given.get("ace_switch")
    if strength is None:
        return given
    if "sample_sigmas" not in options:
        raise InvalidRequestError(
            "The sampler does not tell its steps, so a cover strength below 1 cannot be followed. "
            "Use another sampler, or set the cover strength to 1."
        )
    at = switch_time(options["sample_sigmas"].tolist(), strength)
    conds_with_source = {
        k: v for k, v in given.items() if k != "ace_switch" and not k.startswith(WITHOUT_SOURCE)
    }
    if uses_source(t, at, corrector=options.get(CORRECTOR, False)):
        return conds_with_source
    return conds_with_source | {
        k.removeprefix(WITHOUT_SOURCE): v for k, v in given.items() if k.startswith(WITHOUT_SOURCE)
    }


def _step(t: float, options: dict[str, Any]) -> str:
    """What is evaluated at flow time `t`, in words for an error."""
    if "sample_sigmas" not in options:
        return f"diffusion model at the flow time {t:g}"
    return model_at(t, options["sample_sigmas"].tolist())


def conds_of_words(given: dict[str, Any], options: dict[str, Any]) -> dict[str, Any]:
    """The conditions under the words of this evaluation: those of a morph's source, or the others.

    Raises:
        InvalidRequestError: the sampler takes a morph for a task like any other.
    """
    source = {k: v for k, v in given.items() if k.startswith(SOURCE_WORDS)}
    if not source:
        return given
    draw = options.get(DRAW)
    if draw is None:
        raise InvalidRequestError(
            "This sampler cannot morph: it evaluates the model under the new words alone. Connect "
            "ACE-Step Solver with euler to the sampler, or sample with ACE-Step Sampler."
        )
    new = {k: v for k, v in given.items() if k not in source}
    if not draw.source_words:
        return new
    return new | {k.removeprefix(SOURCE_WORDS): v for k, v in source.items()}


class AceLatent(comfy.latent_formats.ACEAudio15):
    """The stock format, with a preview: 64 channels over time as a grey picture."""

    latent_rgb_factors = [[0.25, 0.25, 0.25]]  # noqa: RUF012  # one picture channel to r, g, b

    @staticmethod
    def latent_rgb_factors_reshape(x0: Tensor) -> Tensor:
        return x0.unsqueeze(1).repeat_interleave(2, dim=2)  # [B, 1, 2C, T]


class AceModel(comfy.model_base.ACEStep15):
    """What a MODEL holds. Its class makes the host's own LoRA key map fit."""

    def __init__(self, model_config: Any, device: Any = None) -> None:
        comfy.model_base.BaseModel.__init__(
            self, model_config, comfy.model_base.ModelType.FLOW, device=device, unet_model=AceNet
        )
        self.latent_format = AceLatent()
        self.variant: Variant | None = None
        self.silence: Tensor | None = None  # [1, S, C], if a file beside the weights holds it
        self.fallback_silence: Callable[[], Tensor] | None = None  # if no task has one

    @memory_for("Encoding the conditions", _ADVICE)
    def extra_conds(self, **given: Any) -> dict[str, Any]:
        """Once per generation: the condition encoder, and the keys and values of every layer."""
        refuse_foreign_patches(self.current_patcher)
        if given.get("cross_attn") is None or given.get("conditioning_lyrics") is None:
            raise InvalidRequestError(
                "The conditioning holds no ACE-Step lyrics and text. Connect an ACE-Step task node "
                "to the sampler."
            )
        item, silence = task_of(given, given["noise"])
        silence = self.silence_on(given["device"], silence)
        hooked = given.get("hooks") is not None
        items = items_of(given, item, len(given["noise"]))
        out = self._conds(items, silence, hooked)
        out[GUARD] = comfy.conds.CONDConstant(True)  # the model knows the task
        without_source = item.without_source()
        if without_source is not None:
            later = self._conds([without_source], silence, hooked)
            out |= {f"{WITHOUT_SOURCE}{name}": cond for name, cond in later.items()}
            out["ace_switch"] = comfy.conds.CONDConstant(item.cover_strength)
        if item.edit is not None:
            words = self._words(item.with_source_words(), silence, hooked)
            out |= {f"{SOURCE_WORDS}{name}": cond for name, cond in words.items()}
        return out

    def _conds(self, items: list[Task], silence: Tensor, hooked: bool) -> dict[str, Any]:
        """What every step reads of one item, or of one per item of the batch."""
        net = self.diffusion_model
        contexts = [ctx.context(net, each, silence) for each in items]
        sources = torch.cat(contexts).transpose(1, 2)  # [1 or B, 2C, T]
        shared = {"ace_context": comfy.conds.CONDNoiseShape(sources)}
        return shared | self._words(items[0], silence, hooked)

    def _words(self, item: Task, silence: Tensor, hooked: bool) -> dict[str, Any]:
        """What cross-attention reads: lyrics, timbre and text, for all items."""
        encoded = self._encoded(item, silence)
        if hooked:
            return {"c_crossattn": comfy.conds.CONDRegular(encoded)}
        layers = self.diffusion_model.decoder.cross_attention_kv(encoded)
        return {"ace_kv": CondKV([tensor for kv in layers for tensor in kv])}

    @memory_for("The diffusion model", _ADVICE)
    def _apply_model(
        self,
        x: Tensor,
        t: Tensor,
        c_concat: Any = None,
        c_crossattn: Any = None,
        control: Any = None,
        transformer_options: Any = None,
        **given: Any,
    ) -> Tensor:
        """Outside the part that is compiled: which of the two conditions this step uses, and the
        check that its result is a number."""
        given["c_crossattn"] = c_crossattn
        given.pop(GUARD, None)
        at, known = float(t[0]), dict(transformer_options or {})
        chosen = conds_of_words(conds_at(given, at, known), known)
        known.pop(DRAW, None)
        options = {"control": control, "transformer_options": known}
        x0 = super()._apply_model(x, t, c_concat, **options, **chosen)
        return check_finite(x0, _step(at, known))

    def _encoded(self, item: Task, silence: Tensor) -> Tensor:
        if not torch.count_nonzero(item.text):
            return self.diffusion_model.null_condition_emb.to(silence)  # [1, 1, E]
        return ctx.encode_conditions(self.diffusion_model, item, silence)

    def state_dict_for_saving(self, unet_state_dict: Any, *given: Any, **more: Any) -> Any:
        """The tensors of a checkpoint, for any of the host's savers."""
        return super().state_dict_for_saving(for_saving(self, unet_state_dict), *given, **more)

    def silence_on(self, device: torch.device, fallback: Tensor | None) -> Tensor:
        """[1, S, C] of the model's own file, else the `fallback` of a task."""
        silence = self.silence if self.silence is not None else fallback
        if silence is None and self.fallback_silence is not None:
            silence = self.fallback_silence()
        if silence is None:
            raise InvalidRequestError(
                "Neither the model nor the conditioning says what silence is. Put the official "
                "silence_latent.pt beside the model file, or use an ACE-Step task node with a VAE."
            )
        return silence.to(device, self.get_dtype_inference())

    def memory_required(self, input_shape: Any, cond_shapes: Any = None, **_: Any) -> float:
        """Bytes that one forward of [B, C, T] takes beside the weights; an estimate. Newer hosts
        also say which attention they use."""
        config = self.diffusion_model.config
        dtype = self.get_dtype_inference()
        size = comfy.model_management.dtype_size(dtype)
        rows, frames = input_shape[0], input_shape[-1]
        kept = self._kv_bytes(cond_shapes or {}, size)
        stream = comfy.model_management.dtype_size(residual_dtype(dtype))
        return memory_estimate(config, rows, frames, stream) + kept

    def extra_conds_shapes(self, **given: Any) -> dict[str, Any]:
        """How large `ace_kv` will be, known from the texts alone."""
        texts = [given.get(name) for name in ("cross_attn", "conditioning_lyrics")]
        entry_task = given.get(KEY)
        edit = None if entry_task is None else entry_task.task.edit
        texts += [] if edit is None else [edit.text, edit.lyrics]
        tokens = sum(text.shape[1] for text in texts if text is not None)
        decoder, layers = self.diffusion_model.config.decoder, self.diffusion_model.config.layers
        return {"ace_kv": [1, 2 * layers * decoder.kv_heads * decoder.head_dim, tokens]}

    @staticmethod
    def _kv_bytes(cond_shapes: Any, size: int) -> int:
        shapes = cond_shapes.get("ace_kv") or []
        return sum(torch.Size(shape).numel() for shape in shapes) * size


def load_model(
    path: Path, variant: Variant | None = None, dtype: str = "auto", disable_dynamic: bool = False
) -> Any:
    """A diffusion checkpoint as a MODEL; `variant` overrides what config and name say.

    Raises:
        CheckpointError: there is no diffusion model of ACE-Step 1.5 at `path`, or it is damaged.
    """
    checkpoint = inspect(path)
    device = comfy.model_management.get_torch_device()
    offload_device = comfy.model_management.unet_offload_device()
    model = _filled(checkpoint, dtype, device)
    model.device = offload_device
    model.variant = variant or checkpoint.variant
    model.silence = stored_silence(checkpoint)
    manager = comfy.model_patcher
    patcher_class = manager.ModelPatcher if disable_dynamic else manager.CoreModelPatcher
    patcher = patcher_class(model, load_device=device, offload_device=offload_device)
    patcher.cached_patcher_init = (load_model, (path, variant, dtype))
    return patcher


def _filled(checkpoint: Checkpoint, dtype: str, device: torch.device) -> AceModel:
    """The model with its weights: views into the mapped file where the dtype is the file's own."""
    packed = quantised(checkpoint, Kind.DIT)
    if packed is not None:
        return _filled_quantised(packed, dtype, device)
    sizes, state = dit_config(checkpoint), read(checkpoint, Kind.DIT)
    weight_dtype, cast = compute_dtype(dtype, checkpoint.part(Kind.DIT).dtype, device)
    config = _host_config(state, sizes, weight_dtype, cast)
    config.unet_config["quantized"] = quantized_linear(dtype)
    model = AceModel(config, device=torch.device("meta"))
    net = model.diffusion_model.requires_grad_(False)
    check_keys(checkpoint, skip_init(AceStepModel, sizes).state_dict(), state)
    chosen = names_to_quantize(net)  # from the file's own dtype
    weights = {name: t if name in chosen else t.to(weight_dtype) for name, t in state.items()}
    net.load_state_dict(weights, assign=True)
    return model


def _filled_quantised(
    packed: ForHostLayers | ForOwnRows, dtype: str, device: torch.device
) -> AceModel:
    """The same of a quantised file."""
    sizes = dit_config(packed.checkpoint)
    weight_dtype, cast = packed.dtypes(dtype, device)
    config = _host_config(packed.tensors, sizes, weight_dtype, cast)
    config.custom_operations = packed.operations(weight_dtype, cast, device)
    model = AceModel(config, device=torch.device(packed.device))
    packed.fill(model.diffusion_model, skip_init(AceStepModel, sizes), weight_dtype)
    return model


def _host_config(
    state: dict[str, Tensor], sizes: DiTConfig, weight_dtype: torch.dtype, cast: torch.dtype | None
) -> Any:
    """The host's own description of such a model, with ours inside for `AceNet`."""
    config = comfy.model_detection.model_config_from_unet(state, "")
    config.unet_config["ace"] = sizes
    config.set_inference_dtype(weight_dtype, cast)
    return config
