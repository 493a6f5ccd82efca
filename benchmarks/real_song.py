"""A whole song at the true 2B shapes, random weights: ours, ComfyUI and the official pipeline.

`python -m benchmarks.real_song` takes eight steps, conditions included, and decodes, each candidate
in a process of its own, once; it prints the CPU time of both stages and the peak of the process's
memory. Texts are given as states: text encoder and language model are left out on all sides.

- `ours` computes as the pack does by itself on this processor: in bfloat16, the decoding too where
  that is fast, and in tiles. `ours float32` is for a peer that computes in float32.
- `ComfyUI` is its own model and VAE, the model in bfloat16, which is a favour: by itself it casts
  to float32 on a CPU. It decodes in one pass, in float32, with 13 GB for a minute of music, and
  keeps the model meanwhile: its `load_models_gpu` makes room on other devices than a CPU only.
- `ComfyUI tiled` decodes by *VAE Decode Audio (Tiled)* with the node's defaults. On a CPU ComfyUI
  does not turn to tiles where memory ends: its `raise_non_oom` knows a GPU's error only.
- `official` is the official handler (`benchmarks/official.py`): `service_generate` and
  `tiled_decode`, in float32, which `initialize_service` chooses on a CPU. Its patches are not made
  contiguous, which matters in bfloat16 only. `official bfloat16` is what nobody gets on a CPU.
  Its `generate_music` gives up after 600 s by the clock; here nothing does.

`--shared` has all layers of a stack hold the same weights, for a machine without memory for
all: one layer's are more than a cache holds, so the times stay; the peaks are then no song's.

A candidate that asks for more memory than the machine has ends, and a line says so.
"""

import argparse
import json
import resource
import subprocess
import sys
from collections.abc import Callable, Mapping
from functools import partial
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

from . import official, peers, real_size
from .measure import Seconds, limit_memory, machine, ratios, timed
from .text_to_music import host_song, song

DTYPE: Final = torch.bfloat16
SILENCE_FRAMES: Final = 15_000
NODE_TILES: Final = {"tile_x": 512, "tile_y": 512, "overlap": 64}  # frames; the node's defaults

Stages = tuple[Callable[[], Tensor], Callable[[Tensor], Tensor]]  # to latents, to sound


def ours(dtype: torch.dtype, seconds: float, shared: bool) -> Stages:
    decoding = dtype if cpu_is_fast_at_bf16() else torch.float32
    silence = torch.randn(1, SILENCE_FRAMES, 64).to(dtype)
    vae = oobleck(decoding)
    model = real_size.dit(dtype, shared=shared)
    held = Models(model, None, vae, silence, Variant.TURBO)  # type: ignore[arg-type]
    item = song(seconds, dtype)
    return (
        lambda: sample(held, item, Recipe()),
        lambda latents: tiling.decode(vae, latents.transpose(1, 2).to(decoding)),
    )


def host(tiled: bool, seconds: float, shared: bool) -> Stages:
    """
    Raises:
        RuntimeError: there is no ComfyUI.
    """
    checkout = peers.comfyui()
    if checkout is None:
        raise RuntimeError("no ComfyUI to compare with")
    model = peers.host_model(real_size.dit(DTYPE, shared=shared), checkout)
    vae = peers.host_vae(numbered(oobleck(torch.float32)))
    decode = partial(vae.decode_tiled, **NODE_TILES) if tiled else vae.decode
    item = song(seconds, DTYPE)
    silence = torch.randn(1, item.frames, 64).to(DTYPE)
    return (
        lambda: host_song(model, item, silence),
        lambda latents: decode(latents.transpose(1, 2).float()),
    )


def officially(dtype: torch.dtype, seconds: float, shared: bool) -> Stages:
    """
    Raises:
        RuntimeError: there is no official checkout.
    """
    checkout = official.checkout()
    if checkout is None:
        raise RuntimeError("no official pipeline to compare with")
    item = song(seconds, dtype)
    model, vae = real_size.dit(dtype, shared=shared), oobleck(torch.float32)
    handler = official.pipeline(model, vae, item, checkout)
    silence = torch.randn(1, SILENCE_FRAMES, 64).to(dtype)
    return (
        lambda: official.sampled(handler, silence, item.frames),
        lambda latents: official.decoded(handler, latents),
    )


CANDIDATES: Final[Mapping[str, Callable[[float, bool], Stages]]] = {
    "ours": partial(ours, DTYPE),
    "ours float32": partial(ours, torch.float32),
    "ComfyUI": partial(host, False),
    "ComfyUI tiled": partial(host, True),
    "official": partial(officially, torch.float32),
    "official bfloat16": partial(officially, torch.bfloat16),
}


def present() -> list[str]:
    """What a run without `--only` measures; a line for each peer that is not there."""
    names = ["ours"]
    if peers.comfyui() is None:
        print("!!! ComfyUI is not measured: there is none, or this is not its Python. !!!")
    else:
        names.append("ComfyUI")
    if official.checkout() is None:
        print("!!! The official pipeline is not measured: ACESTEP_PATH names no checkout. !!!")
    else:
        names += ["ours float32", "official"]
    return names


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
def measure(name: str, seconds: float, shared: bool) -> dict[str, Any]:
    """CPU and clock seconds of both stages, and the peak of this process in GB.

    Raises:
        RuntimeError: there is not enough memory, or the song is not finite.
    """
    sampling, decoding = CANDIDATES[name](seconds, shared)
    limit_memory()
    latents, sampled = timed(sampling)
    print(f"{name}: sampled {sampled}", file=sys.stderr, flush=True)
    sound, decoded = timed(lambda: decoding(latents))
    if not torch.isfinite(sound).all():
        raise RuntimeError("the song is not finite")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return {"sampling": sampled, "decoding": decoded, "peak": peak}


def in_own_process(name: str, *arguments: str) -> dict[str, Any] | None:
    """What `measure` finds in a process of the candidate's own Python; None where it ended."""
    python = official.python() if name.startswith("official") else sys.executable
    command = [python, "-m", "benchmarks.real_song", "--worker", name, *arguments]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode:
        print(f"!!! {name} ended with {done.returncode}: out of memory, or as it says above. !!!")
        return None
    return json.loads(done.stdout.splitlines()[-1])


def report(found: Mapping[str, Mapping[str, Any]]) -> None:
    """A line for each stage and candidate, and the ratios of the whole."""
    for name, figures in found.items():
        for stage in ("sampling", "decoding"):
            cpu, wall = Seconds(*figures[stage])
            print(f"{name:18s} {stage:10s} {cpu:8.1f} s ({wall:.1f})")
        print(f"{name:18s} {'peak':10s} {figures['peak']:8.1f} GB")
    whole = {
        name: figures["sampling"][0] + figures["decoding"][0] for name, figures in found.items()
    }
    for title, values in {
        "CPU time": whole,
        "peak": {name: figures["peak"] for name, figures in found.items()},
    }.items():
        for peer in (name for name in values if not name.startswith("ours")):
            for name in (name for name in values if name.startswith("ours")):
                print(f"{title}: {name} / {peer} {ratios(values, peer)[name]:.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--only", choices=CANDIDATES, nargs="+")
    parser.add_argument("--shared", action="store_true", help="layers share their weights")
    parser.add_argument("--worker", choices=CANDIDATES, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.worker:
        print(json.dumps(measure(given.worker, given.seconds, given.shared)))
        return
    names = given.only or present()
    print(f"{machine()}, {given.seconds:g} s of music", flush=True)
    arguments = ["--seconds", str(given.seconds), *(["--shared"] if given.shared else [])]
    measured = {name: in_own_process(name, *arguments) for name in names}
    report({name: figures for name, figures in measured.items() if figures is not None})


if __name__ == "__main__":
    main()
