"""VAE decode at the published size, random weights: ours in tiles against diffusers in one pass.

Times are medians of interleaved rounds in one process; peak memory is what a fresh process grows
by while it decodes.
`measure` returns the numbers, the command line prints them.
"""

import argparse
import json
import multiprocessing
import resource
import statistics
import time
import warnings
from collections.abc import Callable

import torch
from diffusers import AutoencoderOobleck
from torch import Tensor

from ace_core.audio import tiling
from ace_core.constants import LATENT_CHANNELS, LATENT_RATE
from ace_core.models.vae import Oobleck, OobleckConfig
from ace_core.weights.fold import fold_weight_norm

SECONDS = 12.0
Decode = Callable[[Tensor], Tensor]


def diffusers_vae() -> AutoencoderOobleck:
    """diffusers' own module at the published sizes."""
    torch.manual_seed(0)
    config = OobleckConfig()
    with warnings.catch_warnings():  # their weight norm is torch's deprecated one
        warnings.simplefilter("ignore", FutureWarning)
        return AutoencoderOobleck(
            encoder_hidden_size=config.encoder_channels,
            downsampling_ratios=list(config.strides),
            channel_multiples=list(config.multiples),
            decoder_channels=config.decoder_channels,
            decoder_input_channels=config.latent_channels,
            audio_channels=config.audio_channels,
            sampling_rate=48_000,
        ).eval()


def our_vae(theirs: AutoencoderOobleck, dtype: torch.dtype) -> Oobleck:
    """Ours with the same weights."""
    vae = Oobleck(OobleckConfig())
    vae.load_state_dict(fold_weight_norm(theirs.state_dict()))
    return vae.to(dtype)


def variant(name: str, theirs: AutoencoderOobleck) -> Decode:
    """`diffusers`, `ours` or `ours bf16` as a function of a float32 latent [1, 64, T]."""
    if name == "diffusers":
        return theirs.decoder  # `decode` adds only a wrapper around it
    dtype = torch.bfloat16 if name.endswith("bf16") else torch.float32
    vae = our_vae(theirs, dtype)
    return lambda latent: tiling.decode(vae, latent.to(dtype))


def latent(seconds: float) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(1, LATENT_CHANNELS, int(seconds * LATENT_RATE), generator=generator)


def measure_time(names: list[str], rounds: int, seconds: float = SECONDS) -> dict[str, float]:
    """Median seconds of each variant, the rounds interleaved."""
    theirs = diffusers_vae()
    decoders = {name: variant(name, theirs) for name in names}
    taken: dict[str, list[float]] = {name: [] for name in names}
    with torch.inference_mode():
        for decode in decoders.values():
            decode(latent(0.2))
        for _ in range(rounds):
            for name, decode in decoders.items():
                start = time.perf_counter()
                decode(latent(seconds))
                taken[name].append(time.perf_counter() - start)
    return {name: statistics.median(times) for name, times in taken.items()}


def measure_memory(name: str, seconds: float = SECONDS) -> float:
    """GB that a fresh process grows by while it decodes."""
    context = multiprocessing.get_context("spawn")
    with context.Pool(1) as pool:
        return pool.apply(_growth, (name, seconds))


def _growth(name: str, seconds: float) -> float:
    theirs = diffusers_vae()
    decode = variant(name, theirs)
    with torch.inference_mode():
        decode(latent(0.2))  # libraries set up their own buffers once
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        decode(latent(seconds))
    return (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 2**20


def agreement(seconds: float = 2.0) -> float:
    """Largest difference of ours from diffusers', as a part of the loudest sample."""
    theirs = diffusers_vae()
    with torch.inference_mode():
        expected = variant("diffusers", theirs)(latent(seconds))
        return float((variant("ours", theirs)(latent(seconds)) - expected).abs().max()) / float(
            expected.abs().max()
        )


def measure(rounds: int = 3, seconds: float = SECONDS) -> dict[str, float]:
    """Ratios to diffusers' one-shot float32, and the absolute numbers behind them."""
    times = measure_time(["diffusers", "ours", "ours bf16"], rounds, seconds)
    peaks = {name: measure_memory(name, seconds) for name in ("diffusers", "ours")}
    longer = measure_memory("ours", 3 * seconds)
    return {
        "seconds of audio": seconds,
        "diffusers fp32 s": times["diffusers"],
        "time ratio fp32": times["ours"] / times["diffusers"],
        "time ratio bf16": times["ours bf16"] / times["diffusers"],
        "diffusers peak GB": peaks["diffusers"],
        "peak ratio fp32": peaks["ours"] / peaks["diffusers"],
        "our peak GB": peaks["ours"],
        "our peak GB at three times the length": longer,
        "largest relative difference": agreement(),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    given = parser.parse_args()
    print(json.dumps(measure(given.rounds, given.seconds), indent=2))
