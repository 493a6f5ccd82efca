"""Prompts that edit a recording, on the miniature, and what became of them."""

from collections.abc import Callable
from typing import Any

import torch

from tests.nodes.lm_prompts import node, shown, song
from tools.hosts.host import Outcome

BASE = "acestep_v1.5_base_miniature.safetensors"
TURBO = "acestep_v1.5_turbo_miniature.safetensors"
TEXT_ENCODER = "qwen_0.6b_ace15_miniature.safetensors"
VAE_FILE = "ace_1.5_vae_miniature.safetensors"
Nodes = dict[str, dict[str, Any]]
Run = Callable[[Nodes], Outcome]

DEFAULTS: dict[str, dict[str, Any]] = {
    "AudioToAudio": {"ref_audio_strength": 0.5},
    "Cover": {"quantize": True, "cover_strength": 1.0, "source_strength": 0.0},
    "Morph": {"n_min": 0.0, "n_max": 1.0, "n_avg": 1, "context": "silence"},
    "Repaint": {"start": 1.0, "end": 2.0, "mode": "balanced", "strength": 0.5},
    "Lego": {"track": "drums"},
    "Extract": {"track": "vocals"},
    "Complete": {},
}
SOURCE_SONG = {"caption": "loud rock band", "lyrics": "[Verse]\nhey you there"}
TRACKS = (
    "vocals backing_vocals drums bass guitar keyboard percussion strings synth fx brass woodwinds"
).split()
DEFAULTS["Complete"] = {name: name in ("drums", "bass") for name in TRACKS}


def loaders(model: str = TURBO) -> Nodes:
    return {
        "model": node("LoadModel", file=model, variant="auto", dtype="fp32"),
        "text": node("LoadTextEncoder", file=TEXT_ENCODER, dtype="fp32"),
        "vae": node("LoadVAE", file=VAE_FILE, dtype="fp32"),
    }


def task(kind: str, file: str = "melody.wav", **changes: Any) -> Nodes:
    """A task node called `task` and what it needs beside the loaders."""
    links = {"text_encoder": ["text", 0], "vae": ["vae", 0], "song": ["song", 0]}
    nodes = {"song": song()}
    if kind == "Morph":  # the words of the recording as it is
        links["source_song"] = ["source_song", 0]
        nodes["source_song"] = song(**SOURCE_SONG)
    given = {**links, "source": ["sound", 0], "batch_size": 1, **DEFAULTS[kind], **changes}
    return {
        **nodes,
        "sound": {"class_type": "LoadAudio", "inputs": {"audio": file}},
        "task": node(kind, **given),
    }


def times(values: str = "1, 0.8, 0.5, 0.2") -> dict[str, Any]:
    listed = {"settings.timesteps": values, "settings.snap": False}
    return node("Schedule", model=["model", 0], settings="timesteps", **listed)


def sampler(**changes: Any) -> dict[str, Any]:
    links = {"positive": ["task", 0], "negative": ["task", 1], "latent": ["task", 2]}
    given = {"model": ["model", 0], "sigmas": ["times", 0], "seed": 5, **links}
    return node("Sampler", **given | changes)


def whole(kind: str, model: str = TURBO, **changes: Any) -> Nodes:
    """From a file to a latent called `music`, shown so that it runs."""
    return {
        **loaders(model),
        **task(kind, **changes),
        "times": times(),
        "music": sampler(),
        "out": shown("music", 1),
    }


def advanced(kind: str, model: str = TURBO, solver: Any = None, **changes: Any) -> Nodes:
    """The same through the stock SamplerCustomAdvanced."""
    nodes = whole(kind, model, **changes)
    guided = {"model": ["model", 0], "positive": ["task", 0], "negative": ["task", 1]}
    nodes["guider"] = node("Guider", **guided)
    nodes["noise"] = node("Noise", seed=5)
    nodes["solver"] = solver or node("Solver", solver="euler")
    nodes["music"] = {
        "class_type": "SamplerCustomAdvanced",
        "inputs": {
            "noise": ["noise", 0],
            "guider": ["guider", 0],
            "sampler": ["solver", 0],
            "sigmas": ["times", 0],
            "latent_image": ["task", 2],
        },
    }
    nodes["out"] = shown("music", 0)
    return nodes


def made(outcome: Outcome, name: str = "music") -> torch.Tensor:
    assert outcome.complete, outcome.why()
    return outcome.values[name][0]["samples"].clone()
