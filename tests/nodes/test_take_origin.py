"""What the page is told of a saved take: its seeds, what it was made of, and its node's list."""

import json
from types import SimpleNamespace
from typing import Any

import pytest

from tools.hosts.pack import Pack

PROMPT = {
    "1": {"inputs": {"seed": 7, "model": ["9", 0]}},
    "2": {"inputs": {"seed": ["8", 0], "latent": ["1", 0], "retake_seed": -1}},
    "3": {"inputs": {"audio": ["2", 0], "again": ["2", 0]}},
    "4": {"inputs": {"noise_seed": 5}},
    "8": {"inputs": {"value": 3}},
    "9": {"inputs": {"file": "a", "back": ["3", 0]}},
}


def told(pack: Pack, **hidden: Any) -> dict[str, Any]:
    origin = pack.submodule("nodes.take_origin").origin_of
    return origin(SimpleNamespace(**{"prompt": None, "extra_pnginfo": None, **hidden}))


def test_seeds_are_those_of_the_nodes_above_and_no_others(pack: Pack) -> None:
    """One that is wired has no place to be put back to; a circle ends."""
    seeds = told(pack, unique_id="3", prompt=PROMPT)["seeds"]
    assert seeds == {"1": {"seed": 7}, "2": {"retake_seed": -1}}


def test_the_list_is_the_one_of_the_node_at_any_depth(pack: Pack) -> None:
    inner = {"id": 4, "type": "AceStep15SaveAudio", "properties": {"ace_step_takes": "inner"}}
    outer = {"id": 4, "type": "AceStep15SaveAudio", "properties": {"ace_step_takes": "outer"}}
    workflow = {
        "nodes": [outer, {"id": 3, "type": "uuid", "properties": {}}],
        "definitions": {"subgraphs": [{"id": "uuid", "nodes": [inner]}]},
    }
    sent = {"workflow": json.loads(json.dumps(workflow))}
    assert told(pack, unique_id="4", extra_pnginfo=sent) == {"list": "outer"}
    assert told(pack, unique_id="3:4", extra_pnginfo=sent) == {"list": "inner"}
    assert told(pack, unique_id="5", extra_pnginfo=sent) == {}


def made_of(
    pack: Pack, task: dict[str, Any], loader: str = "LoadAudio", file: Any = "a.wav"
) -> Any:
    """Of a take behind Save Audio, Decode Audio and Sampler."""
    prompt = {
        "1": {"class_type": "AceStep15SaveAudio", "inputs": {"audio": ["2", 0], "song": ["9", 0]}},
        "2": {"class_type": "AceStep15DecodeAudio", "inputs": {"latent": ["3", 0]}},
        "3": {"class_type": "AceStep15Sampler", "inputs": {"latent": ["4", 2]}},
        "4": {**task, "inputs": {**task["inputs"], "source": ["5", 0]}},
        "5": {"class_type": loader, "inputs": {"audio": file}},
    }
    return told(pack, unique_id="1", prompt=prompt).get("source")


def test_a_take_names_the_recording_that_it_was_made_of(pack: Pack) -> None:
    cover = {"class_type": "AceStep15Cover", "inputs": {}}
    assert made_of(pack, cover) == {"file": "a.wav", "start": 0.0}
    example = made_of(pack, cover, "AceStep15LoadRecording", "band.flac [example]")
    assert example == {"file": "band.flac [example]", "start": 0.0}
    assert made_of(pack, cover, "TrimAudioDuration") is None  # another clock
    assert made_of(pack, cover, file=["7", 0]) is None


@pytest.mark.parametrize(
    ("inputs", "start"),
    [
        ({"start": -2.5}, -2.5),  # two and a half seconds come before it
        ({"start": 3}, 0.0),
        ({"start": ["7", 0]}, 0.0),
        ({"start": -2.5, "mask": ["8", 0]}, 0.0),  # the mask goes before the seconds
    ],
)
def test_a_repaint_says_where_its_source_begins(
    pack: Pack, inputs: dict[str, Any], start: float
) -> None:
    source = made_of(pack, {"class_type": "AceStep15Repaint", "inputs": inputs})
    assert source == {"file": "a.wav", "start": start}


def test_a_circle_of_wires_has_no_source(pack: Pack) -> None:
    circle = {"1": {"class_type": "AceStep15Sampler", "inputs": {"latent": ["1", 0]}}}
    assert "source" not in told(pack, unique_id="1", prompt=circle)


def test_a_script_that_sends_no_page_is_told_of_no_list(pack: Pack) -> None:
    assert told(pack, unique_id="3") == {}
    assert told(pack, unique_id=None, prompt=PROMPT) == {}
