"""What a user reads when Run is pressed and a widget holds what its node does not take."""

from typing import Any

import pytest

Found = dict[str, Any]
VAE = "https://huggingface.co/Comfy-Org/ace_step_1.5_ComfyUI_files/resolve/main/split_files/vae"
CASES = {  # by visit: the node, and what its sentence begins with
    "seconds": ("AceStep15Song", "`seconds` is 5. Set 10 to 600, or 0: "),
    "file": (
        "AceStep15LoadVAE",
        f"'old/ace_1.5_vae.safetensors' is not in models/vae. Download it from {VAE}/",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_the_node_is_marked_and_no_other(turned_down: Found, name: str) -> None:
    assert turned_down[name]["marked"] == [CASES[name][0]]


@pytest.mark.parametrize("name", CASES)
def test_its_sentence_is_read_once_without_a_click(turned_down: Found, name: str) -> None:
    sentence = CASES[name][1]
    shown = turned_down[name]["shown"]
    assert sum(text.count(sentence) for text in shown) == 1, shown


def test_nothing_broke_on_the_page(turned_down: Found) -> None:
    assert turned_down["problems"] == []
