"""VAE decode at the published size, random weights: ours in tiles against diffusers in one pass.

`measure` returns the numbers; the command line prints them. Memory is what a decode adds to a
process that holds the weights already.
"""

import argparse
import json
import warnings
from functools import partial

import torch
from diffusers.models.autoencoders.autoencoder_oobleck import AutoencoderOobleck
from torch import Tensor

from ace_core.audio import tiling
from ace_core.constants import LATENT_CHANNELS, LATENT_RATE, SAMPLE_RATE
from ace_core.models.vae import Oobleck, OobleckConfig
from ace_core.weights.oobleck import fold_weight_norm

from .measure import Run, interleaved, machine, peak_bytes, ratios

SECONDS = 12.0
BASELINE = "diffusers, one pass, fp32"


def diffusers_vae() -> AutoencoderOobleck:
    """diffusers' own module at the published sizes."""
    torch.manual_seed(0)
    config = OobleckConfig()
    with warnings.catch_warnings():  # their weight norm is torch's deprecated one
        warnings.simplefilter("ignore", FutureWarning)
        return AutoencoderOobleck(
            encoder_hidden_size=config.encoder_channels,
            downsampling_ratios=list(config.strides),
            channel_multiples=list(config.channel_multiples),
            decoder_channels=config.decoder_channels,
            decoder_input_channels=config.latent_channels,
            audio_channels=config.audio_channels,
            sampling_rate=SAMPLE_RATE,
        ).eval()


def our_vae(theirs: AutoencoderOobleck, dtype: torch.dtype) -> Oobleck:
    """Ours with the same weights."""
    vae = Oobleck(OobleckConfig())
    vae.load_state_dict(fold_weight_norm(theirs.state_dict()))
    return vae.to(dtype)


def latent(seconds: float) -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randn(1, LATENT_CHANNELS, int(seconds * LATENT_RATE), generator=generator)


def runs(theirs: AutoencoderOobleck, seconds: float) -> dict[str, Run]:
    """Each candidate as a call that decodes `seconds`; diffusers' first."""
    song = latent(seconds)
    return {
        BASELINE: partial(theirs.decoder, song),
        "ours, fp32": partial(tiling.decode, our_vae(theirs, torch.float32), song),
        "ours, bf16": partial(tiling.decode, our_vae(theirs, torch.bfloat16), song.bfloat16()),
    }


@torch.inference_mode()
def measure(rounds: int = 3, seconds: float = SECONDS) -> dict[str, object]:
    """Times, their ratios to diffusers', peaks in GB, and how far the results are apart."""
    theirs = diffusers_vae()
    candidates = runs(theirs, seconds)
    times = interleaved(candidates, rounds)
    peaks = {name: peak_bytes(run) / 1e9 for name, run in candidates.items()}
    longer = runs(theirs, 3 * seconds)["ours, fp32"]
    return {
        "machine": machine(),
        "seconds of audio": seconds,
        "CPU seconds taken": {name: each.cpu for name, each in times.items()},
        "seconds by the clock": {name: each.wall for name, each in times.items()},
        "CPU time ratio": ratios({name: each.cpu for name, each in times.items()}, BASELINE),
        "peak GB": peaks,
        "peak ratio": ratios(peaks, BASELINE),
        "peak GB of ours at three times the length": peak_bytes(longer) / 1e9,
        "largest difference over the loudest sample": agreement(theirs),
    }


def agreement(theirs: AutoencoderOobleck, seconds: float = 2.0) -> float:
    """How far ours is from diffusers' in float32."""
    song = latent(seconds)
    expected = theirs.decoder(song)
    difference = tiling.decode(our_vae(theirs, torch.float32), song) - expected
    return float(difference.abs().max() / expected.abs().max())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seconds", type=float, default=SECONDS)
    given = parser.parse_args()
    print(json.dumps(measure(given.rounds, given.seconds), indent=2))
