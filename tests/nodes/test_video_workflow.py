"""The workflow in which music moves a picture, on the miniature by whichever host there is."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file

from ace_core.models.vae import OobleckConfig
from tests.nodes import video
from tests.nodes.flows import small
from tests.nodes.test_text_to_music import done
from tools.hosts.host import Outcome, Prompt
from tools.hosts.pack import Pack
from tools.miniature.weights import vae_weights
from tools.workflows.prompts import with_inputs

SECONDS, RATE = 10, 48_000
STEP = 1 / 255  # of a film's brightness
CHANNELS = 4  # of a VAE whose song AAC keeps: with fewer it is more like noise


@pytest.fixture(scope="module")
def prompt(models: Path) -> Prompt:
    """Short, and its film small."""
    vae = models / "vae" / "film" / "vae.safetensors"
    vae.parent.mkdir(exist_ok=True)
    config = OobleckConfig(encoder_channels=CHANNELS, decoder_channels=CHANNELS)
    save_file(vae_weights("vae", config), vae)
    short = with_inputs(
        small("picture_moves"), "AceStep15LoadVAE", {"file": "film/vae.safetensors"}
    )
    short[number(short, "EmptyImage")]["inputs"] |= {"width": 128, "height": 64}
    return short


@pytest.fixture(scope="module")
def made(pack: Pack, prompt: Prompt) -> Outcome:
    return done(pack, prompt)


def number(prompt: Prompt, kind: str) -> str:
    return next(n for n, node in prompt.items() if node["class_type"] == kind)


def lowered(sound: torch.Tensor) -> torch.Tensor:
    """A second of one channel [C, N], without the heights that AAC makes noise of."""
    part = sound[None, :1, RATE : 2 * RATE]
    return torch.nn.functional.avg_pool1d(part, 8)[0, 0]


def test_it_ends_in_a_film_that_glows_with_the_song(
    made: Outcome, prompt: Prompt, base_directory: Path
) -> None:
    (saved,) = made.ui[number(prompt, "SaveVideo")]["images"]
    seen = video.read(base_directory / saved["type"] / saved["subfolder"] / saved["filename"])
    levels = torch.tensor(made.values[number(prompt, "AceStep15Envelope")][1])
    assert seen.size == (128, 64)
    assert seen.fps == 12.0
    assert len(seen.brightness) == len(levels) == 12 * SECONDS
    assert video.misfit(seen.brightness, levels) < STEP
    assert video.misfit(seen.brightness, levels.roll(1)) > 2 * STEP
    assert levels.std() > 0.02


def test_the_film_plays_the_song_that_was_saved(
    made: Outcome, prompt: Prompt, base_directory: Path
) -> None:
    (saved,) = made.ui[number(prompt, "SaveVideo")]["images"]
    seen = video.read(base_directory / saved["type"] / saved["subfolder"] / saved["filename"])
    song = made.values[number(prompt, "AceStep15DecodeAudio")][0]["waveform"][0]
    assert seen.rate == RATE
    assert seen.sound.shape[1] == pytest.approx(SECONDS * RATE, abs=2048)  # whole blocks of AAC
    heard, at_once, late = (lowered(s) for s in (seen.sound, song, song.roll(64)))
    assert video.likeness(heard, at_once) > 0.85
    assert video.likeness(heard, late) < 0.3
    assert made.ui[number(prompt, "AceStep15SaveAudio")]["audio"]
