"""Where the model files are published, and in which of ComfyUI's folders each belongs."""

from dataclasses import dataclass
from pathlib import PureWindowsPath
from typing import Final

_BASE: Final = "https://huggingface.co/Comfy-Org/ace_step_1.5_ComfyUI_files/resolve/main"
OFFICIAL: Final = "https://huggingface.co/ACE-Step"
ADAPTERS: Final = "https://huggingface.co/models?search=ace-step%201.5%20lora"


@dataclass(frozen=True, slots=True)
class ModelFile:
    """One published file and its folder under `models/`."""

    name: str
    folder: str

    @property
    def url(self) -> str:
        part = self.folder if self.folder == "checkpoints" else f"split_files/{self.folder}"
        return f"{_BASE}/{part}/{self.name}"


TURBO: Final = ModelFile("acestep_v1.5_turbo.safetensors", "diffusion_models")
XL_BASE: Final = ModelFile("acestep_v1.5_xl_base_bf16.safetensors", "diffusion_models")
TEXT_ENCODER: Final = ModelFile("qwen_0.6b_ace15.safetensors", "text_encoders")
LM: Final = ModelFile("qwen_1.7b_ace15.safetensors", "text_encoders")
VAE: Final = ModelFile("ace_1.5_vae.safetensors", "vae")
ALL_IN_ONE: Final = ModelFile("ace_step_1.5_turbo_aio.safetensors", "checkpoints")

FILES: Final = (
    TURBO,
    ModelFile("acestep_v1.5_xl_turbo_bf16.safetensors", "diffusion_models"),
    XL_BASE,
    ModelFile("acestep_v1.5_xl_sft_bf16.safetensors", "diffusion_models"),
    TEXT_ENCODER,
    LM,
    ModelFile("qwen_4b_ace15.safetensors", "text_encoders"),
    VAE,
    ALL_IN_ONE,
)


def published(name: str, folder: str) -> ModelFile | None:
    """The published file that is asked for by `name`, which may have folders before it."""
    asked = ModelFile(PureWindowsPath(name).name, folder)  # splits at both kinds of slash
    return asked if asked in FILES else None


def addresses(folder: str) -> str:
    """One sentence: where files for that folder are published."""
    known = ", ".join(file.url for file in FILES if file.folder == folder)
    if not known:
        return f"Adapters are published at {ADAPTERS}."
    return f"Files for this place are published at {known}, and the official folders at {OFFICIAL}."
