"""Stand-in for `comfy_api.latest.io`: socket types, schemas and the node base class."""

from .dynamic import DynamicCombo
from .kinds import ComfyTypeIO, Custom, Input, Output, WidgetInput, widget_type
from .node import ComfyNode, Hidden, HiddenHolder, NodeOutput, Schema
from .options import FolderType, UploadType

_NUMBER = ("min", "max", "step", "display_mode")

Boolean = widget_type("BOOLEAN", ("label_on", "label_off"))
Int = widget_type("INT", (*_NUMBER, "control_after_generate"))
Float = widget_type("FLOAT", (*_NUMBER, "round", "gradient_stops"))
String = widget_type("STRING", ("multiline", "placeholder", "dynamic_prompts"))
Combo = widget_type("COMBO", ("options", "upload"), positional="options", multiselect=False)

AnyType = Custom("*")
Audio = Custom("AUDIO")
Clip = Custom("CLIP")
Conditioning = Custom("CONDITIONING")
Guider = Custom("GUIDER")
Image = Custom("IMAGE")
Latent = Custom("LATENT")
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
    "Boolean",
    "Clip",
    "Combo",
    "ComfyNode",
    "ComfyTypeIO",
    "Conditioning",
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
    "Mask",
    "Model",
    "NodeOutput",
    "Noise",
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
