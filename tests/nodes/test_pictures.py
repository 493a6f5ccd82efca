"""The pictures of the help pages: one a node, small, described, and published with the pack."""

import json
import re
from pathlib import Path

import pytest
from PIL import Image

from tools.docs.make_pictures import BETTER, OPEN, where
from tools.docs.make_released import released
from tools.hosts.checkout import ROOT
from tools.workflows.menu import page_path

DOCS = ROOT / "web" / "docs"
PICTURES = DOCS / "pictures"
NAMES = sorted(released())
IMAGE = re.compile(r"!\[(.*?)\]\((.*?)\)")
LARGEST, LARGEST_OF_ALL = 30_000, 1_000_000  # bytes
WIDEST = 1_200  # pixels; the page's side panel shows about 350
NARROWEST = 400


def text_of(name: str) -> str:
    return (DOCS / f"{name}.md").read_text(encoding="utf-8")


def alt_of(name: str) -> str:
    ((alt, _),) = IMAGE.findall(text_of(name))
    return alt


@pytest.mark.parametrize("name", NAMES)
def test_a_help_page_shows_its_node_below_the_first_words(name: str) -> None:
    ((_, address),) = IMAGE.findall(text_of(name))
    assert address == f"pictures/{name}.webp"
    title, words, picture, *_ = text_of(name).split("\n\n")
    assert title.startswith("# ")
    assert words[0] not in "#|!"
    assert IMAGE.fullmatch(picture)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_says_in_a_sentence_what_it_shows(name: str) -> None:
    """ComfyUI puts the words into an attribute as they are: a quotation mark would end it."""
    alt = alt_of(name)
    assert len(alt.split()) > 5
    assert alt.endswith(".")
    assert not set(alt) & set('"<>&')


def test_no_two_pictures_are_described_alike() -> None:
    assert len({alt_of(name) for name in NAMES}) == len(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_picture_can_be_read_and_is_small(name: str) -> None:
    path = PICTURES / f"{name}.webp"
    with Image.open(path) as picture:
        picture.load()
        assert picture.format == "WEBP"
        assert NARROWEST <= picture.width <= WIDEST
        assert 100 <= picture.height <= WIDEST
        assert len(picture.convert("RGB").getcolors(picture.width * picture.height) or []) > 20
    assert path.stat().st_size < LARGEST


def test_there_are_no_others() -> None:
    assert sorted(path.name for path in PICTURES.iterdir()) == sorted(
        f"{name}.webp" for name in NAMES
    )
    assert sum(path.stat().st_size for path in PICTURES.iterdir()) < LARGEST_OF_ALL


def page(*kinds: str) -> dict[str, list[dict[str, str]]]:
    return {"nodes": [{"type": kind} for kind in kinds]}


def test_a_node_is_shown_where_most_users_meet_it_else_in_the_smallest_workflow() -> None:
    pages = {
        "large": page("A", "B", "C"),
        "text_to_music": page("A", "D", "E", "F"),
        "small": page("A", "B"),
    }
    assert where("A", pages) == "text_to_music"
    assert where("B", pages) == "small"
    with pytest.raises(ValueError, match="No workflow has a node 'G'"):
        where("G", pages)


@pytest.mark.parametrize("name", BETTER)
def test_a_workflow_that_was_chosen_by_hand_has_the_node(name: str) -> None:
    text = page_path(BETTER[name]).read_text(encoding="utf-8")
    nodes = json.loads(text)["nodes"]
    assert name in {node["type"] for node in nodes}
    assert set(OPEN) <= set(NAMES)


@pytest.mark.parametrize("path", sorted(DOCS.glob("*.md")), ids=lambda path: path.stem)
def test_every_row_of_a_table_has_as_many_cells_as_its_head(path: Path) -> None:
    """A bar ends a cell even within code; what follows is not shown."""
    tables = re.findall(r"(?:^\|.*\n?)+", path.read_text(encoding="utf-8"), re.MULTILINE)
    for table in tables:
        cells = [len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()]
        assert len(set(cells)) == 1
