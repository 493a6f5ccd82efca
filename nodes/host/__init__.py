"""The only folder that knows ComfyUI inside (`comfy.*`): models, memory, sampling, progress.

Imported inside `execute`, never with the schemas: half of `comfy` cannot be imported before the
host has chosen its device.
"""

from .analysis import codes_of, encode_codes, lyric_maps
from .audio_preview import AudioPreview
from .compiled import load_compiled
from .conditioning import (
    conditioning,
    task_lines,
    task_name,
    task_warnings,
    unconditional,
    with_timbre,
)
from .dcw import with_dcw
from .from_native import (
    from_native,
    known_variant,
    language_model_of,
    text_encoder_of,
    variant_notes,
    variant_of,
)
from .frontend import (
    check_interrupt,
    client_id,
    graph_tags,
    progress_bar,
    progress_heading,
    send_event,
    send_text,
)
from .latents import empty_latent, encode_source, seeds_of, select_items, task_outputs
from .lora import with_adapter
from .memory import RunStats
from .model import load_model
from .qwen3 import (
    ManagedLanguageModel,
    ManagedTextEncoder,
    length_warnings,
    load_language_model,
    load_text_encoder,
    token_progress,
)
from .sampling import Batch, guider, sample, times_of
from .solver import (
    AceNoise,
    ace_solver,
    check_sampler,
    dcw_line,
    sampler_warnings,
    solver_name,
)
from .vae import decode, encode, fingerprint_of, load_vae, music_frames, silence_of

__all__ = [
    "AceNoise",
    "AudioPreview",
    "Batch",
    "ManagedLanguageModel",
    "ManagedTextEncoder",
    "RunStats",
    "ace_solver",
    "check_interrupt",
    "check_sampler",
    "client_id",
    "codes_of",
    "conditioning",
    "dcw_line",
    "decode",
    "empty_latent",
    "encode",
    "encode_codes",
    "encode_source",
    "fingerprint_of",
    "from_native",
    "graph_tags",
    "guider",
    "known_variant",
    "language_model_of",
    "length_warnings",
    "load_compiled",
    "load_language_model",
    "load_model",
    "load_text_encoder",
    "load_vae",
    "lyric_maps",
    "music_frames",
    "progress_bar",
    "progress_heading",
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
    "task_warnings",
    "text_encoder_of",
    "times_of",
    "token_progress",
    "unconditional",
    "variant_notes",
    "variant_of",
    "with_adapter",
    "with_dcw",
    "with_timbre",
]
