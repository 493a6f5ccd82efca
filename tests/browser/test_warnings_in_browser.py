"""What a node warns of is read without looking for it: as a message, and first on the node."""

from typing import Any

Found = dict[str, Any]
SENTENCE = "Guidance 7 on turbo: guidance is distilled into its weights"


def test_the_page_says_it_once(warned: Found) -> None:
    (said,) = [text for text in warned["toasts"] if SENTENCE in text]
    assert said.count(SENTENCE) == 1
    assert said.startswith("ACE-Step Sampler")


def test_it_is_the_first_of_the_nodes_report(warned: Found) -> None:
    first, *report = warned["text"].splitlines()
    assert first.startswith(f"warning: {SENTENCE}")
    assert report[0] == "model: turbo"


def test_nothing_broke_on_the_page(warned: Found) -> None:
    assert warned["problems"] == []
