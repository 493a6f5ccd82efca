"""The only place that knows the host's inside (`comfy.*`): models, memory, sampling, progress.

Imported inside `execute`, never with the schemas: half of `comfy` cannot be imported before the
host has chosen its device.
"""

from .codes import encode_codes
from .conditioning import canvas, conditioning, null
from .language_model import ManagedLanguageModel, load_language_model, watched
from .metadata import graph_tags
from .model import load_model, variant_of
from .sampling import guider, sample
from .text_encoder import ManagedTextEncoder, load_text_encoder
from .vae import decode, encode, load_vae, silence_of

__all__ = [
    "ManagedLanguageModel",
    "ManagedTextEncoder",
    "canvas",
    "conditioning",
    "decode",
    "encode",
    "encode_codes",
    "graph_tags",
    "guider",
    "load_language_model",
    "load_model",
    "load_text_encoder",
    "load_vae",
    "null",
    "sample",
    "silence_of",
    "variant_of",
    "watched",
]
