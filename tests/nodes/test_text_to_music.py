"""The workflow from text to a song file, run on the miniature by whichever host there is."""

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch

from tests.rounding import assert_same
from tools.hosts.host import Outcome, Prompt
from tools.hosts.pack import Pack
from tools.miniature.tokenizer import write_vocabulary
from tools.workflows.prompts import read_prompt, with_input, with_miniature

SECONDS = 10.0
SAMPLED_BY = (
    "LoadModel",
    "LoadTextEncoder",
    "LoadVAE",
    "Song",
    "Schedule",
    "TextToMusic",
    "Sampler",
)


@pytest.fixture(scope="module")
def prompt(models: Path) -> Prompt:
    short = with_input(with_miniature(read_prompt("text_to_music")), "seconds", SECONDS)
    return with_input(short, "dtype", "fp32")


@pytest.fixture(scope="module")
def whole(pack: Pack, prompt: Prompt) -> Outcome:
    """The workflow as it is, run once."""
    return done(pack, prompt)


def number(prompt: Prompt, kind: str) -> str:
    """The id of the node of that kind."""
    return next(n for n, node in prompt.items() if node["class_type"] == f"AceStep15{kind}")


def until_sampled(prompt: Prompt) -> Prompt:
    """The workflow without what makes latents audible."""
    kinds = {f"AceStep15{kind}" for kind in (*SAMPLED_BY, "LoadCheckpoint")}
    kept = {n: node for n, node in prompt.items() if node["class_type"] in kinds}
    shown = {"source": [number(prompt, "Sampler"), 1]}
    return {**kept, "show": {"class_type": "PreviewAny", "inputs": shown}}


def replaced(prompt: Prompt, kind: str, **inputs: Any) -> Prompt:
    """The workflow with other inputs of one node."""
    own = number(prompt, kind)
    node = {**prompt[own], "inputs": {**prompt[own]["inputs"], **inputs}}
    return {**prompt, own: node}


def done(pack: Pack, prompt: Prompt, **extra: Any) -> Outcome:
    outcome = pack.host.run(prompt, extra_pnginfo={"workflow": {"nodes": []}}, **extra)
    assert outcome.complete, outcome.why()
    return outcome


def sampled(pack: Pack, prompt: Prompt) -> tuple[torch.Tensor, str]:
    """Latents [B, C, T] of the sampler, and its report."""
    latent, report = done(pack, until_sampled(prompt)).values[number(prompt, "Sampler")]
    return latent["samples"].clone(), report


def saved(whole: Outcome, prompt: Prompt, base_directory: Path) -> Path:
    (shown,) = whole.ui[number(prompt, "SaveAudio")]["audio"]
    return base_directory / shown["type"] / shown["subfolder"] / shown["filename"]


def test_the_song_is_48_khz_stereo_of_the_length_that_was_asked_for(
    whole: Outcome, prompt: Prompt, base_directory: Path
) -> None:
    path = saved(whole, prompt, base_directory)
    info = soundfile.info(path)
    assert (info.samplerate, info.channels, info.format) == (48_000, 2, "FLAC")
    assert info.frames == SECONDS * 48_000
    heard, _ = soundfile.read(path)
    assert 0.001 < abs(heard).max() <= 1


def test_the_file_holds_the_workflow_the_prompt_and_the_song(
    pack: Pack, whole: Outcome, prompt: Prompt, base_directory: Path
) -> None:
    tags = pack.submodule("ace_core.audio.tags").read(saved(whole, prompt, base_directory))
    given = prompt[number(prompt, "Song")]["inputs"]
    assert json.loads(tags["workflow"]) == {"nodes": []}
    assert json.loads(tags["prompt"])[number(prompt, "Song")]["inputs"] == given
    song = json.loads(tags["ace_step_song"])
    assert song["caption"] == tags["description"] == given["caption"]
    assert song["seconds"] == SECONDS
    assert "bpm" not in song


def test_the_picture_is_an_image_with_something_on_it(whole: Outcome, prompt: Prompt) -> None:
    (image,) = whole.values[number(prompt, "Picture")]
    assert image.shape[0] == 1
    assert image.shape[-1] == 3
    assert 0 <= image.min() < image.max() <= 1


def test_the_report_says_what_was_done(whole: Outcome, prompt: Prompt) -> None:
    report = whole.values[number(prompt, "Sampler")][1]
    assert "model: turbo" in report
    assert "steps: 8, at t = 1, 0.9545, 0.9, 0.8333, 0.75, 0.6429, 0.5, 0.3, 0" in report
    assert "no guidance" in report
    assert "seeds: 0" in report


def test_the_same_seed_gives_the_same_song_and_another_seed_another(
    pack: Pack, prompt: Prompt
) -> None:
    first, _ = sampled(pack, prompt)
    other, _ = sampled(pack, replaced(prompt, "Sampler", seed=1))
    again, _ = sampled(pack, prompt)
    assert torch.equal(again, first)
    assert (other - first).abs().max() > 1


def test_an_item_of_a_batch_equals_that_item_alone(pack: Pack, prompt: Prompt) -> None:
    together, report = sampled(pack, replaced(prompt, "TextToMusic", batch_size=2))
    seeds = [int(word) for word in report.split("seeds: ")[1].split(", ")]
    assert seeds[0] == 0
    assert seeds[1] != 0
    alone, _ = sampled(pack, replaced(prompt, "Sampler", seed=seeds[1]))
    assert_same(together[1:], alone)


def test_base_is_guided_when_nothing_is_said(pack: Pack, prompt: Prompt) -> None:
    base = replaced(prompt, "LoadModel", file="acestep_v1.5_base_miniature.safetensors")
    custom = {"settings": "custom", "settings.steps": 2, "settings.shift": 1.0}
    _, report = sampled(pack, replaced(base, "Schedule", **custom))
    assert "model: base" in report
    assert "steps: 2, at t = 1, 0.5, 0" in report
    assert "APG guidance 7" in report


def test_the_variant_that_is_set_overrules_the_files_name(pack: Pack, prompt: Prompt) -> None:
    custom = {"settings": "custom", "settings.steps": 1, "settings.shift": 1.0}
    short = replaced(replaced(prompt, "LoadModel", variant="sft"), "Schedule", **custom)
    assert "model: sft" in sampled(pack, short)[1]
    changed = pack.host.run(until_sampled(replaced(prompt, "LoadModel", variant="sft")))
    assert changed.values[number(prompt, "Schedule")][1] == "sft: 50 steps, shift 3"


def test_an_all_in_one_file_gives_the_same_song_as_its_parts(pack: Pack, prompt: Prompt) -> None:
    model = number(prompt, "LoadModel")
    file = "ace_step_1.5_turbo_aio_miniature.safetensors"
    inputs = {"file": file, "variant": "auto", "dtype": "fp32"}
    joined = replaced(prompt, "TextToMusic", text_encoder=[model, 1], vae=[model, 2])
    joined[model] = {"class_type": "AceStep15LoadCheckpoint", "inputs": inputs}
    apart, _ = sampled(pack, prompt)
    together, _ = sampled(pack, joined)
    assert torch.equal(apart, together)


def test_official_and_diffusers_folders_give_the_same_song_as_the_single_file(
    pack: Pack, prompt: Prompt, models: Path
) -> None:
    """They bring their silence latent along; for the single file it is made by the VAE."""
    single, _ = sampled(pack, prompt)
    official = models / "official" / "Ace-Step1.5" / "acestep-v15-turbo"
    diffusers = models / "diffusers" / "acestep-v15-turbo-diffusers"
    for folder in (official, diffusers):
        shutil.copytree(folder, models / "diffusion_models" / folder.name, dirs_exist_ok=True)
    part = "diffusion_pytorch_model.safetensors"
    for file in (
        f"{official.name}/model.safetensors",
        f"{diffusers.name}/transformer/{part}",
    ):
        latents, report = sampled(pack, replaced(prompt, "LoadModel", file=file))
        assert "model: turbo" in report
        assert_same(latents, single)


def test_a_caption_too_long_for_the_model_is_in_the_report(pack: Pack, prompt: Prompt) -> None:
    _, report = sampled(pack, replaced(prompt, "Song", caption="calm piano " * 40, bpm=95))
    assert re.search(r"^warning: The text prompt has .* of the caption\.$", report, re.M)
    _, report = sampled(pack, replaced(prompt, "Song", caption="calm piano", bpm=95))
    assert "does not see" not in report


def test_the_song_node_shows_what_the_model_does_not_read(
    pack: Pack, prompt: Prompt, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    qwen3, host = pack.submodule("nodes.host.qwen3"), pack.submodule("nodes.host")
    monkeypatch.setattr(qwen3, "_host_tokenizer_folder", lambda: write_vocabulary(tmp_path))
    monkeypatch.setattr(qwen3, "host_tokenizer", qwen3.host_tokenizer.__wrapped__)
    sent: list[str] = []
    monkeypatch.setattr(host, "send_text", lambda text, hidden: sent.append(text))
    done(pack, until_sampled(replaced(prompt, "Song", caption="静かな夜のピアノと雨の音" * 40)))
    assert "of the caption" in sent[0]
    sent.clear()
    done(pack, until_sampled(replaced(prompt, "Song", caption="calm piano", lyrics="la")))
    assert not any("does not see" in text for text in sent)
