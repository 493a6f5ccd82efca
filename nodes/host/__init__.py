"""The only place that knows the host's inside (`comfy.*`): models, memory, sampling, progress.

Imported inside `execute`, never with the schemas: half of `comfy` cannot be imported before the
host has chosen its device.
"""

from .adopted_clip import language_model_of, text_encoder_of
from .adopted_model import adopted, known_variant, variant_of
from .alignment import codes_of, lyric_maps
from .batches import chosen, seeds_of
from .codes import encode_codes
from .conditioning import (
    canvas,
    conditioning,
    null,
    task_lines,
    task_name,
    with_timbre,
)
from .edits import encode_source, task_outputs
from .hearing import Hearing
from .language_model import ManagedLanguageModel, load_language_model, watched
from .lora import with_adapter
from .metadata import graph_tags
from .model import load_model
from .page import show, tell
from .progress import counted
from .sampling import Batch, guider, sample, times_of
from .solver import AceNoise, ace_solver, solver_name, what_a_sampler_forgets
from .text_encoder import ManagedTextEncoder, load_text_encoder
from .took import Took
from .vae import decode, encode, load_vae, silence_of

__all__ = [
    "AceNoise",
    "Batch",
    "Hearing",
    "ManagedLanguageModel",
    "ManagedTextEncoder",
    "Took",
    "ace_solver",
    "adopted",
    "canvas",
    "chosen",
    "codes_of",
    "conditioning",
    "counted",
    "decode",
    "encode",
    "encode_codes",
    "encode_source",
    "graph_tags",
    "guider",
    "known_variant",
    "language_model_of",
    "load_language_model",
    "load_model",
    "load_text_encoder",
    "load_vae",
    "lyric_maps",
    "null",
    "sample",
    "seeds_of",
    "show",
    "silence_of",
    "solver_name",
    "task_lines",
    "task_name",
    "task_outputs",
    "tell",
    "text_encoder_of",
    "times_of",
    "variant_of",
    "watched",
    "what_a_sampler_forgets",
    "with_adapter",
    "with_timbre",
]
