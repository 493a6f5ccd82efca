"""The editing workflows on the miniature: short, with recordings that the tests render, as a user
chooses files of his own."""

import copy
from pathlib import Path

from tests.nodes import music
from tools.hosts.host import Prompt
from tools.workflows.edit_flows import FLOWS as EDIT_FLOWS
from tools.workflows.prompts import read_prompt, with_input, with_miniature
from tools.workflows.sampling_flows import FLOWS as SAMPLING_FLOWS

NAMES = [make.__name__ for make in (*EDIT_FLOWS, *SAMPLING_FLOWS)]
SECONDS = 6.0
FILES = ("song.wav", "reference.wav")  # in the order in which a workflow loads them
LOADER = "AceStep15LoadRecording"


def recordings(folder: Path) -> None:
    """The files of `own_files`, in a host's input folder."""
    music.write(folder / FILES[0], SECONDS)
    music.write(folder / FILES[1], SECONDS, 44_100, 1)


def own_files(prompt: Prompt) -> Prompt:
    """A copy that loads `FILES` where the workflow loads examples."""
    changed = copy.deepcopy(prompt)
    loaders = [node for node in changed.values() if node["class_type"] == LOADER]
    for node, file in zip(loaders, FILES, strict=False):
        node["inputs"]["audio"] = file
    return changed


def small(name: str) -> Prompt:
    """A workflow as it is published, but short, with recordings of the tests."""
    prompt = with_input(with_miniature(own_files(read_prompt(name))), "dtype", "fp32")
    prompt = with_input(prompt, "seconds", 10.0)
    if any("settings.steps" in node["inputs"] for node in prompt.values()):
        prompt = with_input(prompt, "settings.steps", 3)
    return prompt
