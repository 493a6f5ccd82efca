"""A fingerprint follows the weights, not the name or the place of their file."""

import shutil
from pathlib import Path

from ace_core.batch.models import BLOCK, BLOCKS, ModelChoice, fingerprint
from ace_core.weights import inspect
from tools.miniature import Miniature


def test_moved_weights_keep_their_fingerprint(checkpoints: Miniature, tmp_path: Path):
    moved = tmp_path / "my_turbo.safetensors"
    shutil.copy(checkpoints.split_turbo, moved)
    assert fingerprint(inspect(moved)) == fingerprint(inspect(checkpoints.split_turbo))


def test_other_numbers_of_the_same_shapes_have_another(checkpoints: Miniature, tmp_path: Path):
    """One training step changes most numbers; a byte in each of the blocks is little beside it."""
    trained = tmp_path / checkpoints.split_turbo.name
    content = bytearray(checkpoints.split_turbo.read_bytes())
    content[-1] ^= 1
    trained.write_bytes(content)
    assert len(content) < BLOCK * BLOCKS
    assert fingerprint(inspect(trained)) != fingerprint(inspect(checkpoints.split_turbo))


def test_the_records_name_every_model_that_was_chosen(checkpoints: Miniature):
    choice = ModelChoice(str(checkpoints.release), "acestep-v15-turbo", "acestep-5Hz-lm-1.7B")
    facts = choice.describe()
    assert {part: model["name"] for part, model in facts.items()} == {
        "dit": "acestep-v15-turbo",
        "lm": "acestep-5Hz-lm-1.7B",
    }
    assert len({model["fingerprint"] for model in facts.values()}) == 2
