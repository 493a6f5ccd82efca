"""Files to models: diffusion model, text encoder, VAE, language model, adapters; and MODELs of
other loaders."""

import logging
from pathlib import Path

from comfy_api.latest import io

from ..ace_core.constants import ADAPTER_STRENGTHS
from ..ace_core.types import Variant
from . import folders
from .node_text import node_text, warning_lines
from .sockets import LMSocket, TextEncoderSocket
from .song import AUTO

logger = logging.getLogger(__name__)

CATEGORY = "audio/ACE-Step/load"
DIFFUSION_MODELS, TEXT_ENCODERS, VAES, CHECKPOINTS, LORAS = (
    "diffusion_models",
    "text_encoders",
    "vae",
    "checkpoints",
    "loras",
)
_LM_FOLDERS = (TEXT_ENCODERS, CHECKPOINTS)
_DTYPES = [AUTO, "bf16", "fp32"]
_INT8 = "int8"


def _file_input(folder: str, what: str) -> io.Combo.Input:
    return io.Combo.Input(
        "file",
        options=folders.choices(folder),
        tooltip=f"{what} Files are looked for in models/{folder}.",
    )


def dtype_input(int8: bool = True) -> io.Combo.Input:
    """`int8`: whether the model has large matrices, which may be held so."""
    said = "Number format to compute in. auto: bf16 where the device is fast at it."
    if int8:
        said += " int8: the large weights take half the memory of bf16, the rest is as on auto."
    return io.Combo.Input(
        "dtype",
        options=[*_DTYPES, _INT8] if int8 else _DTYPES,
        default=AUTO,
        advanced=True,
        tooltip=said,
    )


def variant_input() -> io.Combo.Input:
    return io.Combo.Input(
        "variant",
        options=[AUTO, *(variant.value for variant in Variant)],
        default=AUTO,
        tooltip="What the checkpoint was trained as; steps and guidance follow it. auto: as its "
        "config or its name says.",
    )


def _notified(notes: list[str]) -> dict[str, list[str]]:
    """The `ui` that shows the notes on the node; the log has them, too."""
    for note in notes:
        logger.warning(note)
    return node_text(notes)


def variant_choice(choice: str) -> Variant | None:
    return None if choice == AUTO else Variant(choice)


class AceStepLoadModel(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15LoadModel",
            display_name="ACE-Step Load Model",
            category=CATEGORY,
            description="Loads an ACE-Step 1.5 diffusion model as a stock MODEL: turbo, base, sft, "
            "XL; single files and official folders.",
            search_aliases=["ace step", "dit", "unet loader", "diffusion model"],
            inputs=[
                _file_input(DIFFUSION_MODELS, "The diffusion model."),
                variant_input(),
                dtype_input(),
                io.Boolean.Input(
                    "compile",
                    default=False,
                    optional=True,
                    advanced=True,
                    tooltip="Have torch compile the layers: the first song waits for it, those "
                    "after it are faster. Needs Triton on a GPU, a C++ compiler on a CPU.",
                ),
            ],
            outputs=[io.Model.Output(display_name="model", tooltip="Fits every stock sampler.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(cls, file: str) -> bool | str:
        return folders.complaint(DIFFUSION_MODELS, file) or True

    @classmethod
    def execute(cls, file: str, variant: str, dtype: str, compile: bool = False) -> io.NodeOutput:
        from . import host

        load = host.load_compiled if compile else host.load_model
        model = load(folders.model_path(DIFFUSION_MODELS, file), variant_choice(variant), dtype)
        return io.NodeOutput(model, ui=_notified(host.variant_notes(model)))


class AceStepLoadTextEncoder(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15LoadTextEncoder",
            display_name="ACE-Step Load Text Encoder",
            category=CATEGORY,
            description="Loads Qwen3-Embedding-0.6B, which encodes the caption and the lyrics. "
            "Its tokenizer comes from the folder of the file, else from ComfyUI.",
            search_aliases=["ace step", "qwen", "clip loader"],
            inputs=[_file_input(TEXT_ENCODERS, "The text encoder."), dtype_input()],
            outputs=[
                TextEncoderSocket.Output(
                    display_name="text_encoder", tooltip="Encodes captions and lyrics."
                )
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str) -> bool | str:
        return folders.complaint(TEXT_ENCODERS, file) or True

    @classmethod
    def execute(cls, file: str, dtype: str) -> io.NodeOutput:
        from . import host

        return io.NodeOutput(host.load_text_encoder(folders.model_path(TEXT_ENCODERS, file), dtype))


class AceStepLoadVAE(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15LoadVAE",
            display_name="ACE-Step Load VAE",
            category=CATEGORY,
            description="Loads ACE-Step's audio autoencoder as a stock VAE that decodes any length "
            "in constant memory.",
            search_aliases=["ace step", "oobleck", "vae loader"],
            inputs=[
                _file_input(
                    VAES,
                    "The autoencoder, as a single file or inside a diffusers folder, in the layout "
                    "of diffusers, stable-audio-tools or ComfyUI.",
                ),
                dtype_input(int8=False),
            ],
            outputs=[io.Vae.Output(display_name="vae", tooltip="48 kHz stereo, 25 frames/s.")],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(cls, file: str) -> bool | str:
        return folders.complaint(VAES, file) or True

    @classmethod
    def execute(cls, file: str, dtype: str) -> io.NodeOutput:
        from . import host

        vae = host.load_vae(folders.model_path(VAES, file), dtype)
        return io.NodeOutput(vae, ui=node_text([f"layout: {vae.spelling}"]))


class AceStepLoadCheckpoint(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15LoadCheckpoint",
            display_name="ACE-Step Load Checkpoint",
            category=CATEGORY,
            description="Loads diffusion model, text encoder and VAE from one all-in-one file.",
            search_aliases=["ace step", "checkpoint loader", "aio"],
            inputs=[
                _file_input(CHECKPOINTS, "An all-in-one checkpoint."),
                variant_input(),
                dtype_input(),
            ],
            outputs=[
                io.Model.Output(display_name="model", tooltip="Fits every stock sampler."),
                TextEncoderSocket.Output(
                    display_name="text_encoder", tooltip="Encodes captions and lyrics."
                ),
                io.Vae.Output(display_name="vae", tooltip="48 kHz stereo, 25 frames/s."),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(cls, file: str) -> bool | str:
        return folders.complaint(CHECKPOINTS, file) or True

    @classmethod
    def execute(cls, file: str, variant: str, dtype: str) -> io.NodeOutput:
        from . import host

        path = folders.model_path(CHECKPOINTS, file)
        model = host.load_model(path, variant_choice(variant), dtype)
        return io.NodeOutput(
            model,
            host.load_text_encoder(path, dtype),
            host.load_vae(path, AUTO if dtype == _INT8 else dtype),
            ui=_notified(host.variant_notes(model)),
        )


class AceStepLoadLM(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        files = [name for folder in _LM_FOLDERS for name in folders.choices(folder)]
        return io.Schema(
            node_id="AceStep15LoadLM",
            display_name="ACE-Step Load LM",
            category=CATEGORY,
            description="Loads ACE-Step 1.5's language model, 0.6B, 1.7B or 4B, which plans songs "
            "and generates their audio codes. Its tokenizer comes from the folder of the file, "
            "else from ComfyUI.",
            search_aliases=["ace step", "language model", "llm", "5hz", "planner"],
            inputs=[
                io.Combo.Input(
                    "file",
                    options=list(dict.fromkeys(files)),
                    tooltip="The language model, alone or in an all-in-one file. Files are looked "
                    f"for in models/{TEXT_ENCODERS} and models/{CHECKPOINTS}.",
                ),
                dtype_input(),
                io.Boolean.Input(
                    "cuda_graphs",
                    default=False,
                    optional=True,  # workflows from before it was there still run
                    advanced=True,
                    tooltip="Captures a decoding step as a CUDA graph and replays it for each "
                    "token, so that an NVIDIA GPU does not wait for the CPU. The model must fit "
                    "the GPU as a whole. New and untried on most machines: off by default.",
                ),
            ],
            outputs=[LMSocket.Output(display_name="lm", tooltip="Plans, composes, describes.")],
        )

    @classmethod
    def validate_inputs(cls, file: str) -> bool | str:
        return folders.complaint(_folder_of(file), file) or True

    @classmethod
    def execute(cls, file: str, dtype: str, cuda_graphs: bool = False) -> io.NodeOutput:
        from . import host

        path: Path = folders.model_path(_folder_of(file), file)
        return io.NodeOutput(host.load_language_model(path, dtype, cuda_graphs))


def _folder_of(file: str) -> str:
    """The folder that holds `file`; where it should be, if none does."""
    for folder in _LM_FOLDERS:
        if folders.complaint(folder, file) is None:
            return folder
    return TEXT_ENCODERS


class AceStepLoadLoRA(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        weakest, strongest = ADAPTER_STRENGTHS
        return io.Schema(
            node_id="AceStep15LoadLoRA",
            display_name="ACE-Step Load LoRA",
            category=CATEGORY,
            description="Puts a LoRA, LoKr, LoHa or DoRA on a model at its true strength: alpha "
            "and rank come from adapter_config.json where the file has none.",
            search_aliases=[
                "ace step",
                "lora",
                "lora loader",
                "lokr",
                "loha",
                "dora",
                "peft",
                "adapter",
            ],
            inputs=[
                io.Model.Input("model", tooltip="From ACE-Step Load Model, or another Load LoRA."),
                io.Combo.Input(
                    "file",
                    options=folders.choices(LORAS),
                    tooltip="An adapter's file, or the adapter_model.safetensors of a PEFT folder. "
                    "Files are looked for in models/loras.",
                ),
                io.Float.Input(
                    "strength",
                    default=1.0,
                    min=weakest,
                    max=strongest,
                    step=0.05,
                    tooltip="1: as it was trained. 0: not at all. Below 0: its opposite.",
                ),
            ],
            outputs=[
                io.Model.Output(display_name="model", tooltip="The model with the adapter."),
                io.String.Output(
                    display_name="report", tooltip="Which keys matched and which did not."
                ),
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def validate_inputs(cls, file: str) -> bool | str:
        return folders.complaint(LORAS, file) or True

    @classmethod
    def execute(cls, model, file: str, strength: float) -> io.NodeOutput:
        from . import host

        changed, adapter = host.with_adapter(model, folders.model_path(LORAS, file), strength)
        count = len(adapter.deltas) + len(adapter.biases)
        for warning in adapter.warnings:
            logger.warning("%s: %s", file, warning)
        lines = [
            *warning_lines(adapter.warnings),
            f"{file}: {count} weights changed, strength {strength:g}",
            f"strength 1 is: {adapter.scale_source}",
        ]
        return io.NodeOutput(changed, "\n".join(lines), ui=node_text(lines))


class AceStepAdoptModel(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15AdoptModel",
            display_name="ACE-Step Adopt Model",
            category=CATEGORY,
            description="Lets a MODEL of ComfyUI's own loader (or of a GGUF loader) do every "
            "ACE-Step task in every stock sampler. Its weights and LoRAs stay as they are, and "
            "nothing is loaded twice. ACE-Step Sampler needs this node only to set the variant.",
            search_aliases=["ace step", "unet loader", "native model", "gguf", "convert model"],
            inputs=[
                io.Model.Input("model", tooltip="ACE-Step 1.5 from any loader, LoRAs included."),
                variant_input(),
            ],
            outputs=[
                io.Model.Output(display_name="model", tooltip="The same weights, for any sampler.")
            ],
            hidden=[io.Hidden.unique_id],
        )

    @classmethod
    def execute(cls, model, variant: str) -> io.NodeOutput:
        from . import host

        adopted = host.from_native(model, variant_choice(variant))
        return io.NodeOutput(adopted, ui=_notified(host.variant_notes(adopted)))
