"""Every node as the host sees it: ids, words, help, and a place in a workflow."""

import inspect
import json
from pathlib import Path
from typing import Any

import pytest

from tools.docs.make_released import OPTIONAL, faces, released
from tools.hosts.checkout import ROOT
from tools.hosts.pack import Pack
from tools.workflows.graph import WIDGETS

SAVED = released()
NAMES = sorted(SAVED)


def schemas(pack: Pack) -> dict[str, Any]:
    return {name: node.GET_SCHEMA() for name, node in pack.nodes.items()}


def every_input(schema: Any) -> list[Any]:
    return [each for found in schema.inputs for each in found.get_all()]


def test_the_ids_are_those_that_users_have_in_their_files(pack: Pack) -> None:
    assert sorted(pack.nodes) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_that_was_saved_still_fits(pack: Pack, name: str) -> None:
    then, now = SAVED[name], faces({name: pack.nodes[name]})[name]
    kinds = {each.removesuffix(OPTIONAL): kind for each, kind in now["inputs"].items()}
    for each, kind in then["inputs"].items():
        assert set(kind.split(",")) <= set(kinds[each.removesuffix(OPTIONAL)].split(",")), each
    must = {each for each in now["inputs"] if not each.endswith(OPTIONAL)}
    assert must <= set(then["inputs"]), "a new input that must be filled"
    assert widgets(now)[: len(widgets(then))] == widgets(then), "values are stored by place"
    assert now["outputs"][: len(then["outputs"])] == then["outputs"]


def widgets(face: dict[str, Any]) -> list[str]:
    found = face["inputs"].items()
    return [name.removesuffix(OPTIONAL) for name, kind in found if kind in WIDGETS]


@pytest.mark.parametrize("name", NAMES)
def test_a_node_says_what_it_is(pack: Pack, name: str) -> None:
    schema = schemas(pack)[name]
    assert schema.display_name.startswith("ACE-Step ")
    assert schema.category.startswith("audio/ACE-Step/")
    assert schema.description.endswith(".")
    assert schema.search_aliases
    silent = [each.id for each in every_input(schema) if not each.tooltip]
    silent += [each.display_name for each in schema.outputs if not each.tooltip]
    assert silent == []


@pytest.mark.parametrize("name", NAMES)
def test_a_node_takes_exactly_the_inputs_it_shows(pack: Pack, name: str) -> None:
    shown = {each.id for each in schemas(pack)[name].inputs}
    taken = inspect.signature(pack.nodes[name].execute).parameters.values()
    named = {each.name for each in taken if each.kind is not each.VAR_KEYWORD}
    assert named <= shown
    assert named == shown or len(named) < len(taken)  # the rest goes to the keywords


@pytest.mark.parametrize("name", NAMES)
def test_a_node_has_a_help_page_that_names_its_inputs(pack: Pack, name: str) -> None:
    text = (ROOT / "web" / "docs" / f"{name}.md").read_text()
    unsaid = [each.id for each in every_input(schemas(pack)[name]) if each.id not in text]
    assert [each for each in unsaid if each != "audioUI"] == []
    assert text.startswith(f"# {schemas(pack)[name].display_name}\n")


@pytest.mark.parametrize(
    ("typed", "found"),
    [
        ("music", "TextToMusic"),
        ("song", "Song"),
        ("suno", "Song"),
        ("stems", "Extract"),
        ("cover", "Cover"),
        ("inpaint audio", "Repaint"),
        ("karaoke", "Extract"),
        ("voice", "ReferenceAudio"),
    ],
)
def test_what_people_type_finds_a_node(pack: Pack, typed: str, found: str) -> None:
    schema = schemas(pack)[f"AceStep15{found}"]
    assert any(typed in words.lower() for words in (schema.display_name, *schema.search_aliases))


def test_every_node_is_in_a_workflow(pack: Pack) -> None:
    wired = {
        node["class_type"]
        for path in sorted((ROOT / "workflows" / "api").glob("*.json"))
        for node in json.loads(Path(path).read_text()).values()
    }
    assert not set(pack.nodes) - wired


def test_the_seed_offers_a_new_one_after_each_run(pack: Pack) -> None:
    inputs = {each.id: each for each in schemas(pack)["AceStep15Sampler"].inputs}
    assert inputs["seed"].control_after_generate is True
