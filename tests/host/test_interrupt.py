"""Pressing stop in a real ComfyUI while the pack's sampler runs."""

import threading
from typing import Any

from tools.hosts.host import Prompt
from tools.hosts.progress import progress_events
from tools.hosts.server import ComfyServer

STEPS = 200


def node(kind: str, **inputs: Any) -> dict[str, Any]:
    return {"class_type": kind, "inputs": inputs}


def long_song(steps: int, seed: int) -> Prompt:
    """Ten minutes in many steps on the miniature."""
    chosen = {"variant": "auto", "dtype": "fp32"}
    song = {"caption": "rock", "lyrics": "", "seconds": 600.0, "bpm": 0, "language": "en"}
    free = {"key": "auto", "time_signature": "auto", "instrumental": True}
    return {
        "model": node(
            "AceStep15LoadModel", file="acestep_v1.5_turbo_miniature.safetensors", **chosen
        ),
        "text": node(
            "AceStep15LoadTextEncoder",
            file="qwen_0.6b_ace15_miniature.safetensors",
            dtype="fp32",
        ),
        "vae": node("AceStep15LoadVAE", file="ace_1.5_vae_miniature.safetensors", dtype="fp32"),
        "song": node("AceStep15Song", **song, **free),
        "task": node(
            "AceStep15TextToMusic",
            song=["song", 0],
            text_encoder=["text", 0],
            vae=["vae", 0],
            batch_size=1,
        ),
        "times": node(
            "AceStep15Schedule",
            model=["model", 0],
            settings="custom",
            **{"settings.steps": steps, "settings.shift": 3.0},
        ),
        "sample": node(
            "AceStep15Sampler",
            model=["model", 0],
            positive=["task", 0],
            negative=["task", 1],
            latent=["task", 2],
            sigmas=["times", 0],
            seed=seed,
        ),
        "out": node("PreviewAny", source=["sample", 0]),
    }


def test_stop_ends_the_sampler_before_its_last_step_and_leaves_a_working_server(
    server: ComfyServer,
) -> None:
    steps: list[int] = []  # as they were told
    sampling = threading.Event()

    def hear(node_id: str, done: int, total: int) -> None:
        if node_id == "sample":
            steps.append(done)
            if done >= 3:
                sampling.set()

    with progress_events(server.port, "stopper", hear):
        answer = server.queue(long_song(STEPS, seed=1), client="stopper")
        assert not answer["node_errors"], answer
        assert sampling.wait(120), server.tail()
        server.interrupt()
        outcome = server.wait(answer["prompt_id"], {}, timeout=60)
    assert outcome.status == "interrupted"
    assert outcome.error == {"node_id": "sample", "node_type": "AceStep15Sampler"}
    assert steps[-1] < STEPS
    again = server.run(long_song(1, seed=2))
    assert again.complete, again.why()
