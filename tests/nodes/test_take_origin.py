"""What the page is told of a saved take: the seeds that it was made with, and its node's list."""

import json
from types import SimpleNamespace
from typing import Any

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


def test_a_script_that_sends_no_page_is_told_of_no_list(pack: Pack) -> None:
    assert told(pack, unique_id="3") == {}
    assert told(pack, unique_id=None, prompt=PROMPT) == {}
