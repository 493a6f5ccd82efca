"""The only folder that knows ComfyUI inside (`comfy.*`): models, memory, sampling, progress.

Imported inside `execute`, never with the schemas: half of `comfy` cannot be imported before the
host has chosen its device.
"""

from .adopted_clip import language_model_of, text_encoder_of
from .adopted_model import from_native, known_variant, variant_of
from .alignment import codes_of, lyric_maps
from .batches import seeds_of, select_items
from .codes import encode_codes
from .conditioning import (
    conditioning,
    empty_latent,
    task_lines,
    task_name,
    unconditional,
    with_timbre,
)
from .edits import encode_source, task_outputs
from .hearing import AudioPreview
from .language_model import ManagedLanguageModel, load_language_model, token_progress
from .lora import with_adapter
from .metadata import graph_tags
from .model import load_model
from .page import send_event, send_text
from .progress import progress_bar
from .sampling import Batch, guider, sample, times_of
from .solver import AceNoise, ace_solver, sampler_warnings, solver_name
from .text_encoder import ManagedTextEncoder, load_text_encoder
from .took import RunStats
from .vae import decode, encode, load_vae, silence_of

__all__ = [
    "AceNoise",
    "AudioPreview",
    "Batch",
    "ManagedLanguageModel",
    "ManagedTextEncoder",
    "RunStats",
    "ace_solver",
    "codes_of",
    "conditioning",
    "decode",
    "empty_latent",
    "encode",
    "encode_codes",
    "encode_source",
    "from_native",
    "graph_tags",
    "guider",
    "known_variant",
    "language_model_of",
    "load_language_model",
    "load_model",
    "load_text_encoder",
    "load_vae",
    "lyric_maps",
    "progress_bar",
    "sample",
    "sampler_warnings",
    "seeds_of",
    "select_items",
    "send_event",
    "send_text",
    "silence_of",
    "solver_name",
    "task_lines",
    "task_name",
    "task_outputs",
    "text_encoder_of",
    "times_of",
    "token_progress",
    "unconditional",
    "variant_of",
    "with_adapter",
    "with_timbre",
]
