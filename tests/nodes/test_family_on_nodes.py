"""The trained family's layouts on whichever host there is: loaded by our nodes, with its own
silence and its own codebook, and played by the demo's workflows."""

import copy
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.tools.miniature.untrained import CODES, write_untrained
from tools import demo
from tools.hosts.host import Outcome, Prompt
from tools.hosts.pack import Pack
from tools.miniature.diffusion.clock import silence
from tools.miniature.embedded import Embedded
from tools.miniature.trained import family
from tools.miniature.world.understood import understand
from tools.workflows.prompts import with_input

KINDS = ("diffusion_models", "text_encoders", "vae", "checkpoints")
DIT = "diffusion_models/family/acestep_v1.5_{}_miniature.safetensors"


@pytest.fixture(scope="module")
def models(pack: Pack, base_directory: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The host's folder of models, with a family of the right shapes in folders `family`."""
    place = tmp_path_factory.mktemp("family")
    family(place / "models", write_untrained(place / "parts"))
    for kind in KINDS:
        shutil.copytree(
            place / "models" / kind, base_directory / "models" / kind / "family", dirs_exist_ok=True
        )
    return base_directory / "models"


def of_family(prompt: Prompt) -> Prompt:
    changed = with_input(copy.deepcopy(prompt), "dtype", "fp32")
    for node in changed.values():
        if "file" in node["inputs"]:
            node["inputs"]["file"] = f"family/{node['inputs']['file']}"
    return changed


def values_of(made: Outcome, prompt: Prompt, kind: str) -> tuple[Any, ...]:
    """What the first node of a kind gave."""
    return next(made.values[number] for number in prompt if prompt[number]["class_type"] == kind)


@pytest.mark.parametrize("version", ["turbo", "base"])
def test_a_single_file_brings_its_silence_and_its_variant(
    pack: Pack, models: Path, version: str
) -> None:
    found: Any = pack.submodule("nodes.host.model").load_model(models / DIT.format(version)).model
    assert torch.equal(found.silence, silence().half())
    assert found.variant.value == version


def test_a_song_is_planned_in_the_familys_codes_and_played(pack: Pack, models: Path) -> None:
    wish = understand("calm kalimba in D minor, 125 bpm")
    prompt = of_family(demo.prompt_of("song", wish, Embedded(()), 3))
    prompt = with_input(prompt, "seconds", 10.0)
    made = pack.host.run(prompt, extra_pnginfo={"workflow": {}})
    assert made.complete, made.why()
    codes = values_of(made, prompt, "AceStep15ComposeCodes")[0]
    values = [code for each in codes for code in each.values]
    assert len(values) == 50
    assert max(values) < CODES
    sound = values_of(made, prompt, "AceStep15DecodeAudio")[0]
    assert sound["waveform"].shape[-1] == 480_000
    found = demo._result(prompt, made, lambda file: b"content")
    assert set(found.files) == {"song.flac", "song.png"}
    assert "bpm: 125" in found.plan


@pytest.mark.parametrize("task", ["cover", "extract"])
def test_a_task_runs_from_a_recording_of_the_pack(pack: Pack, models: Path, task: str) -> None:
    wish = understand(demo.TASKS[task].caption)
    prompt = of_family(demo.prompt_of(task, wish, Embedded(()), 3))
    for node in prompt.values():
        if node["class_type"] == "AceStep15Schedule":
            node["inputs"] |= {"settings": "custom", "settings.steps": 3, "settings.shift": 3.0}
    made = pack.host.run(prompt, extra_pnginfo={"workflow": {}})
    assert made.complete, made.why()
    sound = values_of(made, prompt, "AceStep15DecodeAudio")[0]
    assert sound["waveform"].shape[-1] == 7.68 * 48_000
