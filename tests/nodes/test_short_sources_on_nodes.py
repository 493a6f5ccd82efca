"""A source shorter than the shortest canvas (5.12 s): the decoded song is as long as it is."""

import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.nodes import music
from tests.nodes.lm_prompts import node, shown
from tests.nodes.task_prompts import BASE, DEFAULTS, TRACKS, Nodes, Run, advanced, whole
from tests.nodes.without_host import host_task
from tools.hosts.host import Outcome

SECONDS = 1.56
SAMPLES = 39 * 1_920
SHORT = {"start": 0.5, "end": 1.0}  # of a repaint


@pytest.fixture(scope="module")
def file(base_directory: Path) -> str:
    return music.write(base_directory / "input" / "loop.wav", SECONDS).name


def decoded(run: Run, nodes: Nodes) -> Outcome:
    nodes["sounding"] = node("DecodeAudio", latent=["music", 0], vae=["vae", 0])
    nodes["heard"] = shown("sounding", 0)
    found = run(nodes)
    assert found.complete, found.why()
    return found


def heard(outcome: Outcome) -> torch.Tensor:
    return outcome.values["sounding"][0]["waveform"]


def changes(kind: str) -> dict[str, Any]:
    return SHORT if kind == "Repaint" else {}


@pytest.mark.parametrize("kind", list(DEFAULTS))
def test_what_is_decoded_is_as_long_as_its_short_source(run: Run, file: str, kind: str) -> None:
    found = decoded(run, whole(kind, BASE, file=file, **changes(kind)))
    assert found.values["music"][0]["samples"].shape[-1] == 128, "the canvas stays the models'"
    assert heard(found).shape[-1] == SAMPLES
    assert f"length: {SECONDS:g} s" in found.values["music"][1]


@pytest.mark.parametrize("kind", ["Cover", "Repaint"])
def test_a_stock_sampler_in_between_changes_nothing(run: Run, file: str, kind: str) -> None:
    found = decoded(run, advanced(kind, file=file, **changes(kind)))
    assert heard(found).shape[-1] == SAMPLES


def test_the_samples_are_those_of_the_whole_canvas(run: Run, file: str) -> None:
    nodes = whole("Cover", file=file)
    found = decoded(run, nodes)
    vae, latent = found.values["vae"][0], found.values["music"][0]
    canvas = vae.decode(latent["samples"]).movedim(-1, 1)
    assert canvas.shape[-1] == 128 * 1_920, "a stock decoder gives the canvas"
    mine = heard(found)
    scale = canvas[..., :SAMPLES].abs().max().clamp(min=1)
    assert torch.equal(mine, canvas[..., :SAMPLES] / scale)


def test_a_latent_that_another_node_has_cut_is_decoded_as_it_is(run: Run, file: str) -> None:
    found = decoded(run, whole("Cover", file=file))
    latent, vae = found.values["music"][0], found.values["vae"][0]
    shorter = {**latent, "samples": latent["samples"][..., :20]}
    audio = sys.modules[type(vae).__module__].decode(vae, shorter)
    assert audio["waveform"].shape[-1] == 20 * 1_920


def test_a_region_mask_is_as_long_as_the_short_source(run: Run, file: str) -> None:
    by = {"by": "seconds", "by.start": 0.5, "by.end": -1.0}
    nodes = whole("Repaint", file=file)
    nodes["where"] = node("RegionMask", source=["sound", 0], **by)
    nodes["task"]["inputs"]["mask"] = ["where", 0]
    nodes["mask"] = shown("where", 0)
    found = decoded(run, nodes)
    mask = found.values["where"][0]
    assert mask.shape == (1, 1, 39)
    assert mask[0, 0].nonzero().flatten().tolist() == list(range(12, 39))
    marked = host_task(found).task.mask[0, :, 0]
    assert marked.nonzero().flatten().tolist() == list(range(12, 39))
    assert heard(found).shape[-1] == SAMPLES


def test_stems_of_a_short_source_are_as_long_as_it_is(run: Run, file: str) -> None:
    nodes = whole("Extract", BASE, file=file)
    switches = {name: name in ("vocals", "drums") for name in TRACKS}
    links = {name: [name, 0] for name in ("model", "vae", "song")}
    given = {"text_encoder": ["text", 0], "source": ["sound", 0], "sigmas": ["times", 0]}
    nodes = {name: nodes[name] for name in ("model", "text", "vae", "song", "sound", "times")}
    nodes["stems"] = node(
        "MakeStems", **links, **given, **switches, mode="build up", seed=1, residual=True
    )
    found = run({**nodes, "out": shown("stems", 1)})
    assert found.complete, found.why()
    assert [stem.audio.shape[-1] for stem in found.values["stems"][0]] == [SAMPLES] * 3


def test_a_song_from_few_codes_is_as_long_as_they_are(run: Run) -> None:
    nodes = whole("Cover")
    links = {"text_encoder": ["text", 0], "vae": ["vae", 0], "song": ["song", 0]}
    nodes["codes"] = node("TextToCodes", text=" ".join(str(code) for code in range(10)))
    nodes["task"] = node("TextToMusic", **links, batch_size=1, codes=["codes", 0])
    found = decoded(run, nodes)
    assert heard(found).shape[-1] == 2 * 48_000


def test_a_preview_is_of_the_music_alone(run: Run, file: str) -> None:
    nodes = whole("Cover", file=file)
    nodes["music"]["inputs"] |= {"vae": ["vae", 0], "preview_every": 1, "preview_at": 2.0}
    assert "the song is 1.56 s long" in run(nodes).why()


def test_lyric_times_end_with_the_music(run: Run, file: str) -> None:
    nodes = whole("Cover", file=file)
    links = {"text_encoder": ["text", 0], "song": ["song", 0], "positive": ["task", 0]}
    nodes["times_of_lyrics"] = node(
        "LyricTimes", model=["model", 0], latent=["music", 0], **links, heads=""
    )
    nodes["lines"] = shown("times_of_lyrics", 1)
    found = run(nodes)
    assert found.complete, found.why()
    (lines,) = found.values["times_of_lyrics"][0]
    assert 0 < max(line.end for line in lines) <= SECONDS
