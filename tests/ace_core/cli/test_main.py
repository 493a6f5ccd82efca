"""The command line as a shell sees it: exit codes, stdout, stderr."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import ace_core
from ace_core.cli.main import COMMANDS, main
from ace_core.cli.output import Exit
from tools.miniature import Miniature

ROOT = Path(__file__).parents[3]
QUICK = """
import sys
from ace_core.cli.main import main
try:
    main(sys.argv[1:])
finally:
    heavy = sorted({"torch", "numpy", "ray", "transformers"} & set(sys.modules))
    sys.exit(f"imported {heavy}" if heavy else 0)
"""


def answer(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, Any, str]:
    """Exit code, the JSON on stdout, and stderr."""
    code = main([*words, "--json"])
    output = capsys.readouterr()
    return code, json.loads(output.out), output.err


@pytest.mark.parametrize(
    "words", [["--help"], ["--version"], *([name, "--help"] for name in COMMANDS)]
)
def test_help_does_not_wait_for_torch(words: list[str]):
    command = [sys.executable, "-c", QUICK, *words]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout


def test_help_names_every_command():
    command = [sys.executable, "-m", "ace_core", "--help"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    assert all(re.search(rf"^    {name}\b", done.stdout, re.MULTILINE) for name in COMMANDS)


def test_no_command_is_a_wrong_command_line():
    assert main([]) == Exit.USAGE


def test_the_version_is_that_of_the_project():
    project = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert f'version = "{ace_core.__version__}"' in project


@pytest.mark.parametrize(
    ("part", "layout", "variant", "kinds"),
    [
        ("turbo", "official folder", "turbo", ["diffusion model (DiT)"]),
        ("split_base", "single file", "base", ["diffusion model (DiT)"]),
        ("split_vae", "single file", None, ["VAE"]),
        ("lm", "official folder", None, ["5 Hz language model"]),
        (
            "all_in_one",
            "all-in-one file",
            "turbo",
            ["diffusion model (DiT)", "text encoder", "5 Hz language model", "VAE"],
        ),
    ],
)
def test_inspect_says_what_a_checkpoint_is(
    checkpoints: Miniature,
    capsys: pytest.CaptureFixture[str],
    part: str,
    layout: str,
    variant: str | None,
    kinds: list[str],
):
    path = getattr(checkpoints, part)
    code, found, _ = answer(capsys, "inspect", str(path))
    assert code == Exit.DONE
    assert (found["path"], found["layout"], found["variant"]) == (str(path), layout, variant)
    assert [each["kind"] for each in found["parts"]] == kinds
    files = path.rglob("*.safetensors") if path.is_dir() else [path]
    assert found["bytes"] == sum(file.stat().st_size for file in files)
    for each in found["parts"]:
        assert sum(each["dtypes"].values()) == each["parameters"] > 0


def test_inspect_tells_people_the_same(checkpoints: Miniature, capsys: pytest.CaptureFixture[str]):
    _, found, _ = answer(capsys, "inspect", str(checkpoints.xl))
    assert main(["inspect", str(checkpoints.xl)]) == Exit.DONE
    output = capsys.readouterr().out
    assert "variant  turbo, XL" in output
    assert f"{found['parts'][0]['parameters']:,} parameters" in output


def test_what_a_user_can_fix_has_no_traceback(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "model.safetensors").write_bytes(b"abc")
    code, found, output = answer(capsys, "inspect", str(tmp_path / "model.safetensors"))
    assert code == Exit.FAILED
    assert found["success"] is False
    assert "this is not a safetensors file" in found["error"]
    assert output == f"error: {found['error']}\n"


SONG = ("generate", "--caption", "x", "--duration", "10")


@pytest.mark.parametrize(
    "words",
    [
        ("inspect", "none"),
        ("measure", "none"),
        ("codes", "none"),
        ("correct", "none", "--tempo", "1", "-o", "a.wav"),
        ("understand", "none"),
        ("batch", "none", "--out", "songs"),
        ("format", "--lyrics-file", "none"),
        ("cover", "none", "--caption", "x"),
        (*SONG, "--lyrics-file", "none"),
        (*SONG, "--reference-audio", "none"),
        (*SONG, "--lora", "none"),
        (*SONG, "--vae", "none"),
        (*SONG, "--lm", "none"),
        (*SONG, "--checkpoint", "none"),
        (*SONG, "--tokenizer", "none"),
        ("sample", "x", "--tokenizer", "none"),
        ("sample", "x", "--lm", "none"),
    ],
    ids=" ".join,
)
def test_what_is_not_there_is_a_wrong_command_line(
    checkpoints: Miniature,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    words: tuple[str, ...],
):
    monkeypatch.chdir(tmp_path)
    own = (
        ()
        if words[0] in ("inspect", "measure", "correct")
        else ("--models", str(checkpoints.release))
    )
    code, found, _ = answer(capsys, *words, *own)
    assert (code, "none" in found["error"]) == (Exit.USAGE, True), found
    assert list(tmp_path.iterdir()) == []


def test_inspect_says_the_layout_of_a_vae_and_what_to_do_with_a_merge(
    checkpoints: Miniature, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    main(["inspect", str(checkpoints.vae_folders / "diffusers")])
    assert "keys of diffusers' AutoencoderOobleck" in capsys.readouterr().out
    merge = tmp_path / "acestep-v15-sftturbo50.safetensors"
    merge.symlink_to(checkpoints.split_turbo)
    main(["inspect", str(merge)])
    assert "Set `variant` to turbo (8 steps" in capsys.readouterr().out
    _, found, _ = answer(capsys, "inspect", str(merge))
    assert (found["variant"], found["merge_of"]) == (None, ["turbo", "sft"])
