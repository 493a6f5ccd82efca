"""The models of a script: loaded once, used by every call."""

import logging
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path

import torch

from ..audio.files import read_audio
from ..audio.waveform import model_audio
from ..conditioning.context import check_code_frames
from ..conditioning.text import TextEncoder
from ..constants import INT8
from ..errors import AceStepError, CheckpointError, InvalidRequestError
from ..lm.codes import write_codes
from ..lm.language_model import LanguageModel
from ..memory import memory_for
from ..models.compiled import check_compiler, compile_layers
from ..models.int8 import Int8Linear
from ..models.ops import Ops
from ..parsing import quoted
from ..pipeline import Models, encode_audio, encode_codes
from ..sampling.presets import merge_advice
from ..timing import frames_in
from ..types import Variant
from ..versions import warn_outdated
from ..weights import (
    Checkpoint,
    Kind,
    load_dit,
    load_lm,
    load_text_encoder,
    load_vae,
    silence_latent,
)
from ..weights.detect import merged_variants
from .adapters import LoraChoice, ReadAdapter, find_adapter, read_adapters
from .devices import AUTO, OffloadedModel, device_of, dtype_of
from .find_models import find_companion, find_model, find_tokenizer
from .lora_controls import LoraControls

BACKENDS = ("vllm", "pt", "mlx")  # published names; there is one loop here, torch's
UNUSED = {  # what the official handler has and this one does without, and why
    "use_flash_attention": "`use_flash_attention` is not used: torch chooses the attention.",
    "offload_dit_to_cpu": "`offload_dit_to_cpu` is not used: `offload_to_cpu` offloads all models.",
    "prefer_source": "`prefer_source` is not used: nothing is downloaded.",
    "use_mlx_dit": "`use_mlx_dit` is not used: every device runs torch.",
}
logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, eq=False)
class Service:
    """The loaded models, each with its offloading."""

    models: Models
    text: OffloadedModel
    dit: OffloadedModel
    vae: OffloadedModel
    name: str  # of the diffusion checkpoint
    root: Path  # below which models and adapters are looked for

    @property
    def shapes(self) -> dict[str, tuple[int, ...]]:
        """Of the weights of the diffusion model, by official name."""
        named = self.models.dit.named_parameters()
        return {name: tuple(weight.shape) for name, weight in named}

    def read_adapters(self, choices: Sequence[LoraChoice]) -> tuple[ReadAdapter, ...]:
        """
        Raises:
            CheckpointError: one is not there, is broken, or was made for another model.
        """
        return read_adapters(choices, self.root, self.shapes)


class AceStepHandler(LoraControls):
    """The diffusion model with its text encoder and VAE, and the adapters on it."""

    def __init__(self) -> None:
        super().__init__()
        self.status = "AceStepHandler.initialize_service was not called."
        self._service: Service | None = None

    def initialize_service(
        self,
        project_root: str,
        config_path: str,
        device: str = AUTO,
        use_flash_attention: bool = False,
        compile_model: bool = False,
        offload_to_cpu: bool = False,
        offload_dit_to_cpu: bool = False,
        quantization: str | None = None,
        prefer_source: str | None = None,
        use_mlx_dit: bool = True,
        dtype: str | torch.dtype | None = None,
        variant: str | None = None,
        tokenizer: str | Path | None = None,
        vae: str | Path | None = None,
    ) -> tuple[str, bool]:
        """Load the models. What was done or what is wrong, and whether they are ready.

        `config_path` is the name of a checkpoint below `project_root` (an official folder in
        `checkpoints`, a single file in a ComfyUI's folders) or the path of one. `variant` is for a
        checkpoint whose config and name do not tell what it was trained as. `tokenizer` is the
        path of the text encoder's where none lies with the models. `vae` is the name or path of
        another VAE than the one that lies with the models. With `compile_model` torch compiles the
        layers of the diffusion model when they are first used.

        The arguments come in the official handler's order, ours behind them. What has no meaning
        here is said in the message.
        """
        given = {
            "use_flash_attention": use_flash_attention,
            "offload_dit_to_cpu": offload_dit_to_cpu and not offload_to_cpu,
            "prefer_source": prefer_source is not None,
            "use_mlx_dit": not use_mlx_dit,
        }
        self._service = None
        self._forget_adapters()
        warn_outdated()
        try:
            target = device_of(device)
            _check_quantization(quantization)
            checkpoint = find_model(project_root, config_path, Kind.DIT)
            root = Path(project_root)
            parts = Parts(checkpoint, root, target, dtype, offload_to_cpu, quantization)
            if compile_model:
                check_compiler(target)
            autoencoder = None if vae is None else find_model(project_root, str(vae), Kind.VAE)
            with _memory_for_models():
                self._service = _service(parts, variant, tokenizer, autoencoder)
            if compile_model:
                compile_layers(self._service.models.dit.decoder)
        except AceStepError as error:
            self.status = str(error)
            logger.warning("%s", error)
            return self.status, False
        loaded = parts.loaded(self._service.models.silence.dtype)
        self.status = " ".join([loaded, *(UNUSED[name] for name, value in given.items() if value)])
        return self.status, True

    def convert_src_audio_to_codes(self, audio_file: str | Path) -> str:
        """The recording at `audio_file` as text of audio codes, five per second, for
        `understand_music` and `audio_codes`. The official handler's name.

        Raises:
            InvalidAudioError: it cannot be read, or is shorter than one code.
            InvalidRequestError: the models are not loaded.
            NotEnoughMemoryError: it does not fit.
        """
        service = self.service
        sound = model_audio(*read_audio(audio_file))
        check_code_frames(frames_in(sound.shape[-1]))
        with memory_for("Encoding the recording", "Give a shorter one, or free memory."):
            with service.vae:
                latents = encode_audio(service.models, sound)
            with service.dit:
                (codes,) = encode_codes(service.models, latents)
        return write_codes(codes)

    @property
    def service(self) -> Service:
        """
        Raises:
            InvalidRequestError: the models are not loaded.
        """
        if self._service is None:
            raise InvalidRequestError(f"The diffusion model is not ready: {self.status}")
        return self._service

    def _read_adapter(self, choice: LoraChoice) -> ReadAdapter:
        path = find_adapter(self.service.root, choice.file).absolute()
        return self.service.read_adapters([choice._replace(file=str(path))])[0]


@dataclass(frozen=True, slots=True)
class Parts:
    """How models are loaded: source, device, dtype, offloading and quantization."""

    checkpoint: Checkpoint
    root: Path
    device: torch.device
    dtype: str | torch.dtype | None
    offload: bool
    quantization: str | None = None

    def ops(self, checkpoint: Checkpoint, kind: Kind) -> Ops:
        dtype = dtype_of(self.dtype, checkpoint.part(kind).dtype, self.device)
        layers = None if self.quantization is None else Int8Linear
        return Ops(device=None if self.offload else self.device, dtype=dtype, quantized=layers)

    def resident(self, model: torch.nn.Module) -> OffloadedModel:
        return OffloadedModel(model, self.device, self.offload)

    def loaded(self, dtype: torch.dtype) -> str:
        """What was loaded, as a sentence for the user."""
        kind = str(dtype).removeprefix("torch.")
        held = "" if self.quantization is None else ", the large weights held in int8"
        offload = ", offloaded to main memory between uses" if self.offload else ""
        name = self.checkpoint.path.name
        return f"{name}: loaded, computes on {self.device} in {kind}{held}{offload}."


def _service(
    parts: Parts,
    variant: str | None,
    tokenizer_path: str | Path | None,
    chosen_vae: Checkpoint | None = None,
) -> Service:
    checkpoint, root = parts.checkpoint, parts.root
    known = _variant(checkpoint, variant)
    encoder = find_companion(checkpoint, root, Kind.TEXT_ENCODER)
    autoencoder = chosen_vae or find_companion(checkpoint, root, Kind.VAE)
    tokenizer = find_tokenizer(encoder, Kind.TEXT_ENCODER, root, tokenizer_path)
    ops = parts.ops(checkpoint, Kind.DIT)
    dit = load_dit(checkpoint.path, ops, known).model
    qwen = load_text_encoder(encoder.path, parts.ops(encoder, Kind.TEXT_ENCODER))
    vae = load_vae(autoencoder.path, parts.ops(autoencoder, Kind.VAE))
    weight = next(vae.parameters())
    silence = silence_latent(checkpoint, lambda zeros: vae.encode(zeros.to(weight)).mean)
    silence = silence.to(parts.device, ops.dtype)
    models = Models(dit, TextEncoder(tokenizer, qwen), vae, silence, known)
    residents = [parts.resident(model) for model in (qwen, dit, vae)]
    return Service(models, *residents, name=checkpoint.path.name, root=root)


def variant_advice(path: Path) -> str:
    """Which variants to try of a merged checkpoint, by its name; empty for no merge."""
    return merge_advice(merged_variants(path))


def _variant(checkpoint: Checkpoint, given: str | None) -> Variant:
    names = [variant.value for variant in Variant]
    if given is not None and given not in names:
        raise InvalidRequestError(
            f"`variant` is {quoted(given)}. Choose one of {', '.join(names)}."
        )
    known = checkpoint.variant if given is None else Variant(given)
    if known is None:
        choice = variant_advice(checkpoint.path) or f"Set `variant` to one of {', '.join(names)}."
        raise CheckpointError(
            f"{checkpoint.path}: neither a config nor the name tells what this model was trained "
            f"as. {choice}"
        )
    return known


class LLMHandler:
    """The 5 Hz language model."""

    def __init__(self) -> None:
        self.status = "LLMHandler.initialize was not called."
        self.name = ""  # of the checkpoint
        self._model: LanguageModel | None = None
        self._offloaded: OffloadedModel | None = None

    @property
    def llm_initialized(self) -> bool:
        """Whether the model is ready."""
        return self._model is not None

    def initialize(
        self,
        checkpoint_dir: str,
        lm_model_path: str,
        backend: str = "vllm",
        device: str = AUTO,
        offload_to_cpu: bool = False,
        dtype: str | torch.dtype | None = None,
        quantization: str | None = None,
        tokenizer: str | Path | None = None,
    ) -> tuple[str, bool]:
        """Load the model. What was done or what is wrong, and whether it is ready.

        Every published `backend` is accepted and means the same: this library's own loop, whose
        tokens do not depend on the batch. `tokenizer` is the path of one where none lies with the
        models.
        """
        self._model = self._offloaded = None
        warn_outdated()
        try:
            if backend not in BACKENDS:
                raise InvalidRequestError(
                    f"`backend` is {quoted(backend)}. Choose one of {', '.join(BACKENDS)}; all of "
                    "them mean this library's own decoding loop."
                )
            _check_quantization(quantization)
            target = device_of(device)
            checkpoint = find_model(checkpoint_dir, lm_model_path, Kind.LM)
            root = Path(checkpoint_dir)
            parts = Parts(checkpoint, root, target, dtype, offload_to_cpu, quantization)
            found = find_tokenizer(checkpoint, Kind.LM, checkpoint_dir, tokenizer)
            ops = parts.ops(checkpoint, Kind.LM)
            with _memory_for_models():
                model = load_lm(checkpoint.path, ops)
            self._model = LanguageModel(model, found, target, ops.dtype)
            self._offloaded, self.name = parts.resident(model), checkpoint.path.name
        except AceStepError as error:
            self.status = str(error)
            logger.warning("%s", error)
            return self.status, False
        loaded = parts.loaded(self._model.dtype)
        self.status = f"{loaded} Backend {backend}: this library's own decoding loop."
        return self.status, True

    @contextmanager
    def ready(self) -> Iterator[LanguageModel]:
        """The model on its device.

        Raises:
            InvalidRequestError: it is not loaded.
        """
        if self._model is None or self._offloaded is None:
            raise InvalidRequestError(f"The language model is not ready: {self.status}")
        with self._offloaded:
            yield self._model


def _memory_for_models() -> AbstractContextManager[None]:
    return memory_for(
        "Loading the models",
        "Free memory, or give `offload_to_cpu=True` or "
        "`quantization='int8'` (`--offload-to-cpu`, `--quantization int8`).",
    )


def _check_quantization(quantization: str | None) -> None:
    """
    Raises:
        InvalidRequestError: an unknown name.
    """
    if quantization is not None and quantization not in INT8:
        raise InvalidRequestError(
            f"`quantization` is {quoted(quantization)}. Choose {' or '.join(INT8)}, or leave it "
            "out."
        )
