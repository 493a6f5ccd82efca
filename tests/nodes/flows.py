"""The editing workflows on the miniature: short, with recordings that the tests render."""

from pathlib import Path

from tests.nodes import music
from tools.hosts.host import Prompt
from tools.workflows.edit_flows import FLOWS as EDIT_FLOWS
from tools.workflows.flow_parts import INPUT_AUDIO, OTHER_AUDIO
from tools.workflows.prompts import read_prompt, with_input, with_miniature
from tools.workflows.sampling_flows import FLOWS as SAMPLING_FLOWS

NAMES = [make.__name__ for make in (*EDIT_FLOWS, *SAMPLING_FLOWS)]
SECONDS = 6.0


def recordings(folder: Path) -> None:
    """What the workflows' LoadAudio nodes name, in a host's input folder."""
    music.write(folder / INPUT_AUDIO, SECONDS)
    music.write(folder / OTHER_AUDIO, SECONDS, 44_100, 1)


def small(name: str) -> Prompt:
    """A workflow as it is published, but short."""
    prompt = with_input(with_miniature(read_prompt(name)), "dtype", "fp32")
    prompt = with_input(prompt, "seconds", 10.0)
    if any("settings.steps" in node["inputs"] for node in prompt.values()):
        prompt = with_input(prompt, "settings.steps", 3)
    return prompt
