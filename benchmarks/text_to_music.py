"""Text to music against diffusers' modules and ComfyUI's built-in model, in one interleaved run.

`python -m benchmarks.text_to_music` prints ratios for condition encoding, whole generations, VAE
decode and load, with peak memory for these two, and for reading a tokenizer. Real shapes, random
weights. `--layers 6` gives a quicker look; `--only` one part. The denoising step by itself is in
`benchmarks.dit_step`.
"""

import argparse
import gc
import json
import tempfile
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from ace_core.conditioning.context import context
from ace_core.models.acestep import AceStepModel
from ace_core.sampling.schedules import timesteps
from ace_core.task import Task

from . import load, peers, real_size, tokenizer, vae_decode
from .measure import Run, Seconds, interleaved, machine, ratios

TEXT, LYRICS = 100, 411  # with one timbre vector, 512 conditions


def conditions(model: AceStepModel, rounds: int) -> dict[str, Seconds]:
    """Median times of encoding lyrics, timbre and text once."""
    dtype = model.null_condition_emb.dtype
    text, lyrics = torch.randn(1, TEXT, 1024).to(dtype), torch.randn(1, LYRICS, 1024).to(dtype)
    timbre = torch.randn(1, 750, 64).to(dtype)
    theirs = peers.diffusers_encoder(model)
    ones = [torch.ones(1, count, dtype=torch.long) for count in (TEXT, LYRICS)]
    order = torch.zeros(1, dtype=torch.long)
    runs: dict[str, Run] = {
        "ours": lambda: model.encoder(text, lyrics, timbre),
        "diffusers": lambda: theirs(text, ones[0], lyrics, ones[1], timbre, order),
    }
    return interleaved(runs, rounds)


def generation(model: AceStepModel, seconds: float, steps: int) -> dict[str, Seconds]:
    """Times of so many steps, encoding included, as ComfyUI's sampler would run its own."""
    checkout = peers.comfyui()
    if checkout is None:
        return {}
    dtype = model.null_condition_emb.dtype
    item = song(seconds, dtype)
    silence = torch.randn(1, item.frames, 64).to(dtype)
    x = torch.randn(1, item.frames, 64).to(dtype)
    host = peers.host_model(model, checkout)
    runs: dict[str, Run] = {
        "ours": lambda: _ours(model, item, silence, x, steps),
        "ComfyUI": lambda: host_song(host, item, silence, steps),
    }
    return interleaved(runs, rounds=1, warmup=0)


def song(seconds: float, dtype: torch.dtype) -> Task:
    """Text to music with random states of its texts."""
    return Task(
        text=torch.randn(1, TEXT, 1024).to(dtype),
        lyrics=torch.randn(1, LYRICS, 1024).to(dtype),
        frames=int(seconds * 25),
    )


def _ours(model: AceStepModel, item: Task, silence: Tensor, x: Tensor, steps: int) -> Tensor:
    ctx = context(model, item, silence)
    kv = model.decoder.cross_attention_kv(model.encoder(item.text, item.lyrics, silence[:, :750]))
    return _euler(lambda x, t: model.decoder(x, torch.full((1,), t), ctx, kv), x, steps)


def host_song(host: Any, item: Task, silence: Tensor, steps: int = 8) -> Tensor:
    """Latents [1, T, 64] as the host makes them; `silence` is as long as the song."""
    return _euler(_host_step(host, item, silence), torch.randn_like(silence), steps)


def _host_step(host: Any, item: Task, silence: Tensor) -> Callable[[Tensor, float], Tensor]:
    """The host encodes and tokenises again at each step; its timbre is as long as the song."""
    timbre = silence.transpose(1, 2)

    def step(x: Tensor, t: float) -> Tensor:
        out = host(
            x.transpose(1, 2),
            torch.full((1,), t),
            item.text,
            lyric_embed=item.lyrics,
            refer_audio=timbre,
            is_covers=False,
        )
        return out.transpose(1, 2)

    return step


def _euler(velocity: Callable[[Tensor, float], Tensor], x: Tensor, steps: int) -> Tensor:
    times = timesteps(steps, 3.0)
    for t, t_next in pairwise(times):
        x = x + (t_next - t) * velocity(x, t)
    return x


def report(title: str, times: dict[str, Seconds], to: str = "diffusers") -> None:
    """CPU seconds, those by the clock, and the ratio of the former."""
    base = to if to in times else "ours"
    relative = ratios({name: each.cpu for name, each in times.items()}, base) if times else {}
    for name, (cpu, wall) in times.items():
        ratio = f"{relative[name]:5.2f} x {base}"
        print(f"{title:34s} {name:10s} {cpu:8.3f} s ({wall:.3f})   {ratio}", flush=True)


@torch.inference_mode()
def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--layers", type=int, default=24)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--steps", type=int, default=8, help="of a generation")
    parser.add_argument("--dtypes", nargs="+", default=["bfloat16", "float32"])
    parser.add_argument("--only", choices=("conditions", "generation", "vae", "load", "tokenizer"))
    arguments = parser.parse_args()
    checkout = peers.comfyui()  # a wrong COMFYUI_PATH ends it here, not after minutes
    print(machine())
    if arguments.only in (None, "vae"):
        print("VAE decode", json.dumps(vae_decode.measure(arguments.rounds), indent=1), flush=True)
    if arguments.only in (None, "load"):
        with tempfile.TemporaryDirectory() as folder:
            found = load.measure(Path(folder), arguments.rounds)
            print("load", json.dumps(found, indent=1), flush=True)
    if arguments.only in (None, "tokenizer") and checkout is not None:
        times = tokenizer.measure(checkout, arguments.rounds)
        report("tokenizer of a language model", times, to="transformers")
    if arguments.only in ("vae", "load", "tokenizer"):
        return
    for name in arguments.dtypes:
        model = real_size.dit(getattr(torch, name), arguments.layers)
        if arguments.only in (None, "conditions"):
            report(f"condition encoding {name}", conditions(model, arguments.rounds))
        if arguments.only in (None, "generation"):
            title = f"{arguments.steps} steps 120 s {name}"
            report(title, generation(model, 120, arguments.steps), to="ComfyUI")
        del model
        gc.collect()


if __name__ == "__main__":
    main()
