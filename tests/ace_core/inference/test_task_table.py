"""The table of tasks in `docs/api.md`: what each needs is refused to be missing, and no more."""

import re
from pathlib import Path
from typing import Any

import pytest

from ace_core.batch.prompts import Rules
from ace_core.constants import TRACKS
from ace_core.inference.limits import TASKS
from ace_core.types import Variant
from tools.hosts.checkout import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text(encoding="utf-8").split("\n## Tasks\n")[1]
ROWS = {
    task: needs
    for task, needs in re.findall(r"^\| `([\w-]+)`[^|]* \| ([^|]*) \|", PAGE, re.MULTILINE)
    if task in TASKS
}
INSTRUCTION = "Extract the vocals track from the audio:"
GIVEN: dict[str, Any] = {
    "caption": "calm piano",
    "lyrics": "la la",
    "src_audio": Path(__file__).name,
    "audio_codes": "<|audio_code_5|>" * 50,
    "repainting_start": 1.0,
    "repainting_end": 2.0,
    "instruction": INSTRUCTION,
}
HAVE_A_DEFAULT = {"repainting_start", "repainting_end"}  # the whole source


def faults(task: str, *names: str) -> list[str]:
    """Of a request with these fields alone."""
    given = {name: GIVEN[name] for name in names}
    rules = Rules(Variant.BASE, Path(__file__).parent)
    return rules.faults({"task_type": task, "duration": 10, **given})


def needed(task: str) -> list[tuple[str, ...]]:
    """What a row asks for: of names with "or" between them, one will do."""
    text = ROWS[task].replace("(or ", "or ").replace(")", "")
    found = []
    for part in text.split(", "):
        names = tuple(re.findall(r"`(\w+)`", part))
        assert names, part
        found.append(names)
    return found


def test_every_task_has_its_row():
    assert tuple(ROWS) == TASKS


@pytest.mark.parametrize("task", TASKS)
def test_a_task_needs_what_its_row_says_and_nothing_else(task: str):
    groups = needed(task)
    assert faults(task, *(group[0] for group in groups)) == []
    assert faults(task, *(group[-1] for group in groups)) == []
    for group in groups:
        rest = [other[0] for other in groups if other is not group]
        if group[0] in HAVE_A_DEFAULT:
            assert faults(task, *rest) == []
            continue
        (fault,) = faults(task, *rest)
        assert any(name in fault for name in group), fault


def test_the_tracks_are_those_of_the_models():
    (line,) = re.findall(r"^Tracks: (.*?)\. `", PAGE, re.MULTILINE)
    assert tuple(re.findall(r"`(\w+)`", line)) == TRACKS
