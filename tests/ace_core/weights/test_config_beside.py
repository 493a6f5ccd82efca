"""`<file>.config.json` beside a single file: it tells what shapes cannot, and only of its file."""

import json
import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file, save_file

from ace_core.errors import CheckpointError
from ace_core.models.config import DiTConfig
from ace_core.weights import inspect, load_dit
from ace_core.weights.checkpoint import Kind
from tools.miniature import Miniature

LEVELS = [6, 5, 13, 6, 4]


@pytest.fixture
def file(checkpoints: Miniature, tmp_path: Path) -> Path:
    """A single file whose codes have five digits."""
    weights = load_file(checkpoints.split_turbo)
    for name in ("project_in.weight", "project_out.weight"):
        key = f"tokenizer.quantizer.{name}"
        short = weights[key][:5] if "in" in name else weights[key][:, :5]
        weights[key] = short.clone()
    bias = weights.get("tokenizer.quantizer.project_in.bias")
    if bias is not None:
        weights["tokenizer.quantizer.project_in.bias"] = bias[:5].clone()
    path = tmp_path / "five_turbo.safetensors"
    save_file(weights, path)
    return path


def beside(file: Path, text: str) -> None:
    file.with_name(f"{file.stem}.config.json").write_text(text)


def levels(file: Path) -> tuple[int, ...]:
    part = inspect(file).part(Kind.DIT)
    return DiTConfig.from_shapes(part.shapes, part.config).fsq_levels


def test_it_tells_the_code_levels_without_which_the_file_is_refused(file: Path) -> None:
    with pytest.raises(CheckpointError, match="5 digits a code"):
        load_dit(file)
    beside(file, json.dumps({"fsq_input_levels": LEVELS, "is_turbo": True}))
    found = load_dit(file)
    assert found.model.config.fsq_levels == tuple(LEVELS)
    assert tuple(found.model.tokenizer.quantizer.levels) == tuple(LEVELS)


def test_that_of_another_file_is_not_read(file: Path) -> None:
    shutil.copy(file, file.with_name("other_turbo.safetensors"))
    beside(file.with_name("other_turbo.safetensors"), json.dumps({"fsq_input_levels": LEVELS}))
    with pytest.raises(CheckpointError, match="5 digits a code"):
        load_dit(file)


@pytest.mark.parametrize(("text", "why"), [("{", "not a JSON file"), ("[1]", "not a table")])
def test_one_that_cannot_be_read_is_named(file: Path, text: str, why: str) -> None:
    beside(file, text)
    with pytest.raises(CheckpointError, match=rf"five_turbo\.config\.json.*{why}"):
        load_dit(file)


def test_a_diffusers_folder_tells_them_in_the_config_of_its_code_tokenizer(
    checkpoints: Miniature, tmp_path: Path
) -> None:
    folder = tmp_path / "turbo-diffusers"
    shutil.copytree(checkpoints.diffusers, folder)
    assert levels(folder) == (8, 8, 8, 5, 5, 5)
    config = folder / "audio_tokenizer" / "config.json"
    content = json.loads(config.read_text())
    config.write_text(json.dumps(content | {"fsq_input_levels": [5, 8, 8, 8, 5, 5]}))
    assert levels(folder) == (5, 8, 8, 8, 5, 5)
