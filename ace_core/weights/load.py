"""Models from checkpoints: built without memory, then given the mapped weights.

A model is built on the meta device without initialisation and its parameters are replaced by views
into the file, so nothing is copied or cast. An `Ops` with its own device or dtype moves each tensor
there.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from ..constants import CHANNELS, LATENT_CHANNELS, LATENT_HOP
from ..errors import CheckpointError
from ..models.acestep import AceStepModel
from ..models.config import DiTConfig
from ..models.int8 import names_to_quantize
from ..models.ops import TORCH, Ops
from ..models.qwen3 import Qwen3, Qwen3Config
from ..models.vae import Oobleck, OobleckConfig
from ..types import Variant
from .checkpoint import Checkpoint, Kind
from .detect import inspect
from .oobleck import shapes_from_stable_audio
from .quantisation import refuse_quantised
from .silence import stored_silence
from .tensor_files import read

NAMED: Final = 10  # keys that an error lists before it only counts
AnyConfig = TypeVar("AnyConfig")
AnyModel = TypeVar("AnyModel", bound=nn.Module)


@dataclass(frozen=True, slots=True, eq=False)
class LoadedDiT:
    """A diffusion model and what else its checkpoint holds."""

    model: AceStepModel
    checkpoint: Checkpoint
    variant: Variant | None  # None: not stored, the user must say
    silence: Tensor | None  # [1, S, 64]; None: to be made with the VAE


def load_dit(path: str | Path, ops: Ops = TORCH, variant: Variant | None = None) -> LoadedDiT:
    """The diffusion model at `path`; `variant` overrides what its config or name says.

    Raises:
        CheckpointError: no diffusion model of ACE-Step 1.5 is there, it is quantised, a key is
            wrong or a value not finite.
    """
    checkpoint = _inspect_plain(path, Kind.DIT)
    model = _load(AceStepModel, dit_config(checkpoint), checkpoint, Kind.DIT, ops)
    silence = stored_silence(checkpoint)
    return LoadedDiT(model, checkpoint, variant or checkpoint.variant, silence)


def load_text_encoder(path: str | Path, ops: Ops = TORCH) -> Qwen3:
    """The text encoder at `path`.

    Raises:
        CheckpointError: it is something else (the language model, say), or a key is wrong.
    """
    return _qwen3(_inspect_plain(path, Kind.TEXT_ENCODER), Kind.TEXT_ENCODER, ops)


def load_lm(path: str | Path, ops: Ops = TORCH) -> Qwen3:
    """The 5 Hz language model at `path`.

    Raises:
        CheckpointError: it is something else (the text encoder, say), or a key is wrong.
    """
    return _qwen3(_inspect_plain(path, Kind.LM), Kind.LM, ops)


def load_vae(path: str | Path, ops: Ops = TORCH) -> Oobleck:
    """The VAE at `path`, its weight norm folded.

    Raises:
        CheckpointError: it is something else or of another family, or a key is wrong.
    """
    checkpoint = _inspect_plain(path, Kind.VAE)
    return _load(Oobleck, vae_config(checkpoint), checkpoint, Kind.VAE, ops)


def _inspect_plain(path: str | Path, kind: Kind) -> Checkpoint:
    """What lies at `path`, whose model of this kind is not quantised."""
    checkpoint = inspect(path)
    refuse_quantised(checkpoint, kind)
    return checkpoint


def dit_config(checkpoint: Checkpoint) -> DiTConfig:
    """Sizes of the diffusion model, from the shapes of its weights and its config.json."""
    part = checkpoint.part(Kind.DIT)
    try:
        config = DiTConfig.from_shapes(part.shapes, part.config)
    except CheckpointError as error:
        raise CheckpointError(f"{checkpoint.path}: {error}") from error
    _check_depth(checkpoint, part.config, config.layers)
    return config


def qwen3_config(checkpoint: Checkpoint, kind: Kind) -> Qwen3Config:
    """Sizes of the text encoder or of the language model."""
    part = checkpoint.part(kind)
    try:
        config = Qwen3Config.from_shapes(part.shapes, part.config)
    except CheckpointError as error:
        raise CheckpointError(f"{checkpoint.path}: {error}") from error
    _check_depth(checkpoint, part.config, config.layers)
    return config


def vae_config(checkpoint: Checkpoint) -> OobleckConfig:
    """Sizes of the VAE, which must fit the latents of ACE-Step 1.5."""
    part = checkpoint.part(Kind.VAE)
    try:
        config = OobleckConfig.from_shapes(shapes_from_stable_audio(part.shapes))
    except CheckpointError as error:
        raise CheckpointError(f"{checkpoint.path}: {error}") from error
    found = (config.audio_channels, config.latent_channels, config.hop)
    if found != (CHANNELS, LATENT_CHANNELS, LATENT_HOP):
        raise CheckpointError(
            f"{checkpoint.path}: this Oobleck VAE has {found[0]} audio channels, {found[1]} latent "
            f"channels and {found[2]} samples per frame; ACE-Step 1.5's has {CHANNELS}, "
            f"{LATENT_CHANNELS} and {LATENT_HOP}. Choose 'ace_1.5_vae.safetensors' or the official "
            "'vae' folder."
        )
    return config


def _qwen3(checkpoint: Checkpoint, kind: Kind, ops: Ops) -> Qwen3:
    return _load(Qwen3, qwen3_config(checkpoint, kind), checkpoint, kind, ops)


def _check_depth(checkpoint: Checkpoint, config: Mapping[str, Any], found: int) -> None:
    promised = config.get("num_hidden_layers", found)
    if promised != found:
        raise CheckpointError(
            f"{checkpoint.path}: the weights have {found} layers, but config.json promises "
            f"{promised}. Download the missing file, or the config.json of these weights."
        )


def _load(
    build: Callable[[AnyConfig, Ops], AnyModel],
    config: AnyConfig,
    checkpoint: Checkpoint,
    kind: Kind,
    ops: Ops,
) -> AnyModel:
    """A model with the checkpoint's weights as its parameters, frozen, in evaluation mode."""
    model, weights = skip_init(build, config, ops), read(checkpoint, kind)
    plain = model if ops.layers is nn else skip_init(build, config)
    check_keys(checkpoint, plain.state_dict(), weights)
    quantized = names_to_quantize(model)
    if ops.device is not None or ops.dtype is not None:
        weights = {
            name: w if name in quantized else w.to(ops.device, ops.dtype)
            for name, w in weights.items()
        }
    model.requires_grad_(False).load_state_dict(weights, assign=True)
    return model.to(ops.device).eval() if quantized else model.eval()


def check_keys(
    checkpoint: Checkpoint, expected: Mapping[str, Tensor], found: Mapping[str, Tensor]
) -> None:
    """Compare the weights with those of the model.

    Raises:
        CheckpointError: a key is missing, unexpected, of another shape, or of whole numbers.
    """
    missing = [name for name in expected if name not in found]
    unexpected = [name for name in found if name not in expected]
    misshaped = [
        f"{name} is {list(found[name].shape)}, not {list(expected[name].shape)}"
        for name in expected
        if name in found and found[name].shape != expected[name].shape
    ]
    whole = [
        f"{name} is {found[name].dtype}"
        for name in expected
        if name in found and expected[name].is_floating_point() != found[name].is_floating_point()
    ]
    faults = (("missing", missing), ("unexpected", unexpected), ("of another shape", misshaped))
    faults += (("of another kind of number", whole),)
    lines = [f"{len(names)} {what}: {_listed(names)}" for what, names in faults if names]
    if lines:
        raise CheckpointError(
            f"{checkpoint.path}: the weights do not fit their model. Keys {'; '.join(lines)}. "
            "Download the file again, or choose one that was not altered."
        )


def _listed(names: list[str]) -> str:
    rest = len(names) - NAMED
    return ", ".join(names[:NAMED]) + (f" and {rest} more" if rest > 0 else "")


class SkipInitMode(TorchFunctionMode):
    """While it is active, `torch.nn.init` does nothing.

    Initial values would be overwritten; on the meta device the first random fill also makes torch
    import its compiler, which takes two seconds.
    """

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if getattr(func, "__module__", None) == "torch.nn.init":  # slots of C have none
            return kwargs["tensor"] if "tensor" in kwargs else args[0]
        return func(*args, **kwargs)


def skip_init(
    build: Callable[[AnyConfig, Ops], AnyModel], config: AnyConfig, ops: Ops = TORCH
) -> AnyModel:
    """A model on the meta device, without initialisation. With torch's own layers, the default, it
    has every weight with its shape; a host's layers may have none before they are loaded.
    """
    with SkipInitMode():
        return build(config, replace(ops, device="meta"))
