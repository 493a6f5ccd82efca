"""What a user reads when a node refuses its input."""

from typing import Any

SENTENCE = "`caption` has 600 characters, but the models read at most 512. Shorten it."
TYPE = "ace_core.errors.InvalidRequestError"


def test_the_server_names_the_error_without_a_path(refused: dict[str, Any]) -> None:
    assert (refused["type"], refused["message"].strip()) == (TYPE, SENTENCE)


def test_its_sentence_is_read_once_without_a_click(refused: dict[str, Any]) -> None:
    saying = [text for text in refused["shown"] if SENTENCE in text]
    assert len(saying) == 1, refused["shown"]
    before = saying[0].split(SENTENCE)[0]
    assert "/" not in before and "\\" not in before
    assert len(before) < 60


def test_nothing_broke_on_the_page(refused: dict[str, Any]) -> None:
    assert refused["problems"] == []
