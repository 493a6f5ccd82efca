"""The whole family is made by one command, and goes on where it was stopped."""

import shutil
from pathlib import Path

import pytest
from safetensors.torch import load_file

from tools.miniature import __main__ as command
from tools.miniature.codes import train as codes
from tools.miniature.diffusion import train as diffusion
from tools.miniature.language import songs
from tools.miniature.language import train as language
from tools.miniature.trained import PARTS, TRAINED, missing
from tools.miniature.training import parts


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Few pieces to learn from and to report on; the VAE, which is not trained, is copied."""
    monkeypatch.setattr(diffusion, "PIECES", 20)
    monkeypatch.setattr(diffusion, "FRAMES", 500)
    monkeypatch.setattr(diffusion, "held_out_losses", lambda *_: "")
    monkeypatch.setattr(codes, "BATCH", 16)
    monkeypatch.setattr(language, "SHARDS", 1)
    monkeypatch.setattr(language, "HELD_OUT", range(100_000, 100_004))
    monkeypatch.setattr(language, "TOKENS", 500)
    monkeypatch.setattr(songs, "SHARD", 12)
    monkeypatch.setattr(parts, "write_vae", lambda folder: shutil.copytree(TRAINED / "vae", folder))


def test_all_parts_are_made_by_one_command_that_can_be_stopped(
    few: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "family"
    made = ["all", "--minutes", "0.001", "--states", str(tmp_path / "states"), "--family"]
    command.main([*made, str(folder)])
    assert missing(folder) == []
    assert capsys.readouterr().out.count("min left") == len(PARTS)  # text, codes, three models
    before = {file: load_file(file) for file in folder.rglob("*.safetensors")}
    shutil.rmtree(folder / "vae")
    command.main([*made, str(folder)])  # the same minutes are over: nothing is learnt again
    assert "min left" not in capsys.readouterr().out
    for file, weights in before.items():
        assert all(weights[name].equal(tensor) for name, tensor in load_file(file).items())
