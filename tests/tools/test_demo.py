"""The demo: what becomes of a caption, and what is refused before anything runs."""

import os
import subprocess
from pathlib import Path

import pytest

from tools import demo
from tools.hosts.checkout import ROOT
from tools.hosts.host import Outcome
from tools.miniature.embedded import Embedded
from tools.miniature.trained import PARTS
from tools.miniature.world.understood import understand

WHOLE, UNPLANNED = Embedded(()), Embedded(("base", "language_model"))
NOTHING = Embedded(tuple(PARTS)[1:])
FILE = {"subfolder": "", "type": "output"}


def song(caption: str, given: Embedded = WHOLE, task: str = "song") -> dict:
    prompt = demo.prompt_of(task, understand(caption).in_world(), given, 5)
    (found,) = (n["inputs"] for n in prompt.values() if n["class_type"] == "AceStep15Song")
    return found


def test_a_song_is_asked_for_with_what_was_understood_and_what_the_world_can_play() -> None:
    found = song("calm kalimba in D minor, 90 bpm, 6/8")
    assert found["caption"] == "calm kalimba in D minor, 83 bpm, 6/8"
    assert (found["bpm"], found["key"], found["time_signature"]) == (83, "D minor", "6/8")
    assert found["instrumental"] is True
    assert found["seconds"] >= 20
    assert song("calm kalimba")["bpm"] == 0
    assert song("calm kalimba")["key"] == song("calm kalimba")["time_signature"] == "auto"


@pytest.mark.parametrize(
    ("given", "planned"), [(WHOLE, True), (UNPLANNED, False), (NOTHING, False)]
)
def test_a_language_model_plans_where_there_is_one(given: Embedded, planned: bool) -> None:
    prompt = demo.prompt_of("song", understand("drums"), given, 5)
    kinds = {node["class_type"] for node in prompt.values()}
    assert ("AceStep15ComposeCodes" in kinds) == (given is WHOLE)
    assert "AceStep15Picture" in kinds
    files = {node["inputs"].get("file", "") for node in prompt.values()} - {""}
    assert all(name.endswith("_miniature.safetensors") for name in files)
    seeds = {node["inputs"]["seed"] for node in prompt.values() if "seed" in node["inputs"]}
    assert seeds == {5}


def test_base_plays_the_song_where_there_is_no_turbo() -> None:
    prompt = demo.prompt_of("song", understand("drums"), Embedded(("turbo",)), 5)
    (loader,) = (n for n in prompt.values() if n["class_type"] == "AceStep15LoadModel")
    assert loader["inputs"]["file"] == "acestep_v1.5_base_miniature.safetensors"


@pytest.mark.parametrize("task", [name for name in demo.TASKS if name != demo.SONG])
def test_every_other_task_starts_from_a_recording_that_comes_with_the_pack(task: str) -> None:
    chosen = demo.TASKS[task]
    assert understand(chosen.caption).others == ()
    prompt = demo.prompt_of(task, understand(chosen.caption), WHOLE, 5)
    sources = demo.sources(prompt)
    assert sources
    assert all(content[:4] == b"fLaC" for content in sources.values())
    kinds = {node["class_type"].removeprefix("AceStep15").lower() for node in prompt.values()}
    assert task in kinds
    base = any("_base_" in str(node["inputs"].get("file")) for node in prompt.values())
    assert base == chosen.wants_base


def test_what_a_workflow_saved_gets_plain_names() -> None:
    prompt = {
        "1": {"class_type": "AceStep15Picture", "inputs": {}},
        "2": {"class_type": "PreviewImage", "inputs": {"images": ["1", 0]}},
        "3": {"class_type": "PreviewImage", "inputs": {"images": ["9", 0]}},
        "4": {"class_type": "AceStep15SaveAudio", "inputs": {}},
        "5": {"class_type": "AceStep15SaveAudio", "inputs": {}},
        "6": {"class_type": "PreviewAny", "inputs": {}},
    }
    ui = {
        "2": {"images": [{"filename": "wave.png"}]},
        "3": {"images": [{"filename": "mask.png"}]},
        "4": {"audio": [{"filename": "ACE-Step_00003_.flac", **FILE}]},
        "5": {"audio": [{"filename": "rest_00001_.flac", **FILE}]},
        "6": {"text": ("bpm: 88",)},
    }
    outcome = Outcome("success", ui=ui)
    found = demo._result(prompt, outcome, lambda file: file["filename"].encode())
    assert found.files == {
        "rest.flac": b"rest_00001_.flac",
        "song.flac": b"ACE-Step_00003_.flac",
        "song.png": b"wave.png",
    }
    assert found.plan == "bpm: 88"


@pytest.mark.parametrize(
    ("caption", "why"),
    [("", "The caption is empty"), ("钢琴", "reads English only"), ("$HOME '\"", "understands")],
)
def test_a_caption_that_says_nothing_ends_it_in_one_line(
    caption: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAPTION", caption)
    with pytest.raises(SystemExit) as ended:
        demo.main([])
    assert why in str(ended.value)
    assert "\n" not in str(ended.value)


def test_a_task_that_the_miniature_cannot_do_yet_is_said_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(demo, "embedded", lambda: UNPLANNED)
    with pytest.raises(SystemExit, match="no base model yet, which lego needs"):
        demo.main(["lego"])


@pytest.mark.parametrize("caption", ["a $HOME $(shell id) `id` \"q\" 's' 100% \\ #x", "$$", "钢琴"])
def test_make_hands_a_caption_on_as_it_was_typed(caption: str, tmp_path: Path) -> None:
    shows = tmp_path / "shows.py"
    shows.write_text("import os, sys; sys.stdout.buffer.write(os.environb[b'CAPTION'])")
    for given, more in ((["CAPTION=" + caption], {}), ([], {"CAPTION": caption})):
        command = ["make", "-s", "demo", f"ENVIRONMENTS=python3 {shows}", *given]
        done = subprocess.run(
            command, cwd=ROOT, env={**os.environ, **more}, capture_output=True, check=True
        )
        assert done.stdout.decode() == caption
