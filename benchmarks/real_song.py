"""A whole song at the true 2B turbo shapes in bf16, random weights: does it fit, how long it takes.

`python -m benchmarks.real_song --seconds 30` runs text to music in eight steps, decoding included,
and prints the time of each stage and the peak of the process's memory.
"""

import argparse
import resource
import time
from dataclasses import dataclass

import torch

from ace_core.models.ops import Ops
from ace_core.models.vae import Oobleck, OobleckConfig
from ace_core.pipeline import Models, decode_audio, sample
from ace_core.sampling.recipe import Recipe
from ace_core.task import Task
from ace_core.types import Variant

from . import real_size
from .measure import machine

SILENCE_FRAMES = 15_000


@dataclass(frozen=True, slots=True)
class Figures:
    sampling: float  # seconds
    decoding: float
    peak_gb: float


def models(dtype: torch.dtype) -> Models:
    """Turbo and its VAE; texts are given as states, so the text encoder is only held in memory."""
    silence = torch.randn(1, SILENCE_FRAMES, 64).to(dtype)
    vae = real_size.randomized(Oobleck(OobleckConfig(), Ops(device="meta")), dtype)
    text = real_size.text_encoder(dtype)
    return Models(real_size.dit(dtype), text, vae, silence, Variant.TURBO)  # type: ignore[arg-type]


def run(held: Models, seconds: float) -> Figures:
    item = Task(
        text=torch.randn(1, 100, 1024),
        lyrics=torch.randn(1, 411, 1024),
        frames=int(seconds * 25),
    )
    begin = time.perf_counter()
    latents = sample(held, item, Recipe(), on_step=lambda step, _: print(f"step {step + 1}"))
    middle = time.perf_counter()
    sound = decode_audio(held, latents.to(held.silence.dtype))
    end = time.perf_counter()
    if not torch.isfinite(sound).all():
        raise RuntimeError("the song is not finite")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
    return Figures(middle - begin, end - middle, peak)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30.0)
    seconds = parser.parse_args().seconds
    print(machine())
    figures = run(models(torch.bfloat16), seconds)
    print(
        f"{seconds:g} s of music in bf16: sampling {figures.sampling:.0f} s, decoding "
        f"{figures.decoding:.0f} s, peak {figures.peak_gb:.1f} GB"
    )


if __name__ == "__main__":
    main()
