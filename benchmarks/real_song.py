"""A whole song at the true 2B shapes, random weights: ours beside ComfyUI's own model and VAE.

`python -m benchmarks.real_song` takes eight steps in bfloat16, conditions included,
and decodes, each candidate in a process of its own; it prints the CPU time of both stages and the
peak of the process's memory. Texts are given as states: text encoder and language model are left
out on both sides. Each decodes as it does by itself on this processor: ours in tiles, in bfloat16
where that is fast, ComfyUI in one pass, in float32, with 13 GB for a minute of music.
"""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

import torch
from torch import Tensor

from ace_core.audio import tiling
from ace_core.models.ops import Ops
from ace_core.models.vae import Oobleck, OobleckConfig
from ace_core.pipeline import Models, sample
from ace_core.precision import cpu_is_fast_at_bf16
from ace_core.sampling.recipe import Recipe
from ace_core.types import Variant
from ace_core.weights.oobleck import stable_audio_name, unfold_weight_norm

from . import peers, real_size
from .measure import Seconds, machine, ratios, timed
from .text_to_music import host_song, song

DTYPE: Final = torch.bfloat16
SILENCE_FRAMES: Final = 15_000

Stages = tuple[Callable[[], Tensor], Callable[[Tensor], Tensor]]  # to latents, to sound


def ours(seconds: float) -> Stages:
    dtype = DTYPE if cpu_is_fast_at_bf16() else torch.float32
    silence = torch.randn(1, SILENCE_FRAMES, 64).to(DTYPE)
    vae = oobleck(dtype)
    held = Models(real_size.dit(DTYPE), None, vae, silence, Variant.TURBO)  # type: ignore[arg-type]
    item = song(seconds, DTYPE)
    return (
        lambda: sample(held, item, Recipe()),
        lambda latents: tiling.decode(vae, latents.transpose(1, 2).to(dtype)),
    )


def host(seconds: float) -> Stages:
    """
    Raises:
        RuntimeError: there is no ComfyUI.
    """
    checkout = peers.comfyui()
    if checkout is None:
        raise RuntimeError("no ComfyUI to compare with")
    model = peers.host_model(real_size.dit(DTYPE), checkout)
    vae = peers.host_vae(numbered(oobleck(torch.float32)))
    item = song(seconds, DTYPE)
    silence = torch.randn(1, item.frames, 64).to(DTYPE)
    return (
        lambda: host_song(model, item, silence),
        lambda latents: vae.decode(latents.transpose(1, 2).float()),
    )


CANDIDATES: Final[Mapping[str, Callable[[float], Stages]]] = {"ours": ours, "ComfyUI": host}


def oobleck(dtype: torch.dtype) -> Oobleck:
    vae = Oobleck(OobleckConfig(), Ops(device="meta"))
    return real_size.randomized(vae, dtype)  # type: ignore[return-value]


def numbered(vae: Oobleck) -> dict[str, Tensor]:
    """The weights as ComfyUI reads them."""
    blocks = len(OobleckConfig().strides)
    published = unfold_weight_norm(vae.state_dict())
    return {
        stable_audio_name(name, blocks): tensor.flatten() if "snake" in name else tensor
        for name, tensor in published.items()
    }


@torch.inference_mode()
def measure(name: str, seconds: float) -> dict[str, Any]:
    """CPU and clock seconds of both stages, and the peak of this process in GB."""
    sampling, decoding = CANDIDATES[name](seconds)
    latents, sampled = timed(sampling)
    sound, decoded = timed(lambda: decoding(latents))
    if not torch.isfinite(sound).all():
        raise RuntimeError("the song is not finite")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"sampling": sampled, "decoding": decoded, "peak": peak}


def in_own_process(name: str, seconds: float) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.real_song", "--worker", name]
    done = subprocess.run(
        [*command, "--seconds", str(seconds)], stdout=subprocess.PIPE, text=True, check=True
    )
    return json.loads(done.stdout.splitlines()[-1])


def report(found: Mapping[str, Mapping[str, Any]]) -> None:
    """A line for each stage and candidate, and the ratios of the whole."""
    for name, figures in found.items():
        for stage in ("sampling", "decoding"):
            cpu, wall = Seconds(*figures[stage])
            print(f"{name:10s} {stage:10s} {cpu:8.1f} s ({wall:.1f})")
        print(f"{name:10s} {'peak':10s} {figures['peak']:8.1f} GB")
    whole = {
        name: figures["sampling"][0] + figures["decoding"][0] for name, figures in found.items()
    }
    for title, values in {
        "CPU time": whole,
        "peak": {name: figures["peak"] for name, figures in found.items()},
    }.items():
        for name in values.keys() - {"ours"} if "ours" in values else ():
            print(f"{title}: ours / {name} {ratios(values, name)['ours']:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--only", choices=CANDIDATES)
    parser.add_argument("--worker", choices=CANDIDATES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        print(json.dumps(measure(given.worker, given.seconds)))
        return
    names = [given.only] if given.only else list(CANDIDATES)
    if "ComfyUI" in names and peers.comfyui() is None:
        names.remove("ComfyUI")
    print(f"{machine()}, {given.seconds:g} s of music", flush=True)
    report({name: in_own_process(name, given.seconds) for name in names})


if __name__ == "__main__":
    main()
