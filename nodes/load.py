"""Files to models: the diffusion model, the text encoder, the VAE, or all three from one file."""

from comfy_api.latest import io

from ..ace_core.types import Variant
from . import folders
from .sockets import TextEncoderSocket
from .song import AUTO

DIFFUSION_MODELS, TEXT_ENCODERS, VAES, CHECKPOINTS = (
    "diffusion_models",
    "text_encoders",
    "vae",
    "checkpoints",
)
_DTYPES = [AUTO, "bf16", "fp32"]
_INT8 = "int8"
CATEGORY = "audio/ACE-Step/load"


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
            ],
            outputs=[io.Model.Output(display_name="model", tooltip="Fits every stock sampler.")],
        )

    @classmethod
    def validate_inputs(cls, file: str) -> bool | str:
        return folders.complaint(DIFFUSION_MODELS, file) or True

    @classmethod
    def execute(cls, file: str, variant: str, dtype: str) -> io.NodeOutput:
        from . import host

        path = folders.model_path(DIFFUSION_MODELS, file)
        return io.NodeOutput(host.load_model(path, variant_choice(variant), dtype))


class AceStepLoadTextEncoder(io.ComfyNode):
    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="AceStep15LoadTextEncoder",
            display_name="ACE-Step Load Text Encoder",
            category=CATEGORY,
            description="Loads Qwen3-Embedding-0.6B, which reads the caption and the lyrics. Its "
            "tokenizer comes from the folder of the file, else from ComfyUI.",
            search_aliases=["ace step", "qwen", "clip loader"],
            inputs=[_file_input(TEXT_ENCODERS, "The text encoder."), dtype_input()],
            outputs=[
                TextEncoderSocket.Output(
                    display_name="text encoder", tooltip="Reads captions and lyrics."
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
            inputs=[_file_input(VAES, "The autoencoder."), dtype_input(int8=False)],
            outputs=[io.Vae.Output(display_name="vae", tooltip="48 kHz stereo, 25 frames/s.")],
        )

    @classmethod
    def validate_inputs(cls, file: str) -> bool | str:
        return folders.complaint(VAES, file) or True

    @classmethod
    def execute(cls, file: str, dtype: str) -> io.NodeOutput:
        from . import host

        return io.NodeOutput(host.load_vae(folders.model_path(VAES, file), dtype))


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
                    display_name="text encoder", tooltip="Reads captions and lyrics."
                ),
                io.Vae.Output(display_name="vae", tooltip="48 kHz stereo, 25 frames/s."),
            ],
        )

    @classmethod
    def validate_inputs(cls, file: str) -> bool | str:
        return folders.complaint(CHECKPOINTS, file) or True

    @classmethod
    def execute(cls, file: str, variant: str, dtype: str) -> io.NodeOutput:
        from . import host

        path = folders.model_path(CHECKPOINTS, file)
        return io.NodeOutput(
            host.load_model(path, variant_choice(variant), dtype),
            host.load_text_encoder(path, dtype),
            host.load_vae(path, AUTO if dtype == _INT8 else dtype),
        )
