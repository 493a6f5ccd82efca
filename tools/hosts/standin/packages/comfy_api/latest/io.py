"""Stand-in for `comfy_api.latest.io`: socket types, schemas and the node base class."""

from .dynamic import Autogrow, DynamicCombo
from .kinds import ComfyTypeIO, Custom, Input, Output, WidgetInput, widget_type
from .node import ComfyNode, Hidden, HiddenHolder, NodeOutput, Schema
from .options import ControlAfterGenerate, FolderType, NumberDisplay, UploadType

_NUMBER = ("min", "max", "step", "display_mode")

Boolean = widget_type("BOOLEAN", ("label_on", "label_off"))
Int = widget_type("INT", (*_NUMBER, "control_after_generate"))
Float = widget_type("FLOAT", (*_NUMBER, "round", "gradient_stops"))
String = widget_type("STRING", ("multiline", "placeholder", "dynamic_prompts"))
_CHOICE = ("options", "control_after_generate", "upload", "image_folder", "remote")
Combo = widget_type("COMBO", _CHOICE, positional="options", multiselect=False)
MultiCombo = widget_type(
    "COMBO", (*_CHOICE, "placeholder", "chip"), positional="options", multiselect=True
)

AnyType = Custom("*")
Audio = Custom("AUDIO")
Clip = Custom("CLIP")
Conditioning = Custom("CONDITIONING")
Guider = Custom("GUIDER")
Image = Custom("IMAGE")
Latent = Custom("LATENT")
LoraModel = Custom("LORA_MODEL")
Mask = Custom("MASK")
Model = Custom("MODEL")
Noise = Custom("NOISE")
Sampler = Custom("SAMPLER")
Sigmas = Custom("SIGMAS")
Vae = Custom("VAE")
Video = Custom("VIDEO")

__all__ = [
    "AnyType",
    "Audio",
    "Autogrow",
    "Boolean",
    "Clip",
    "Combo",
    "ComfyNode",
    "ComfyTypeIO",
    "Conditioning",
    "ControlAfterGenerate",
    "Custom",
    "DynamicCombo",
    "Float",
    "FolderType",
    "Guider",
    "Hidden",
    "HiddenHolder",
    "Image",
    "Input",
    "Int",
    "Latent",
    "LoraModel",
    "Mask",
    "Model",
    "MultiCombo",
    "NodeOutput",
    "Noise",
    "NumberDisplay",
    "Output",
    "Sampler",
    "Schema",
    "Sigmas",
    "String",
    "UploadType",
    "Vae",
    "Video",
    "WidgetInput",
]
