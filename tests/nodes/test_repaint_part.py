"""A part of a take for Repaint: where it goes, and when nothing is touched."""

from typing import Any

from tests.nodes.web_functions import evaluate, needs_node

pytestmark = needs_node

# A workflow of these nodes; each of `wires` is [node, its input, the node before it].
WORKFLOW = """
async (wires) => {
  const { app } = await import(new URL("../../../scripts/app.js", address));
  const node = (comfyClass, values, inputs) => ({
    comfyClass,
    widgets: Object.entries(values).map(([name, value]) => ({ name, value })),
    inputs: inputs.map((name) => ({ name, type: name === "source" ? "AUDIO" : "*", link: null })),
    getInputNode(slot) { return this.inputs[slot].link; },
  });
  const nodes = {
    loader: node("AceStep15LoadRecording", { audio: "a.wav" }, []),
    made: node("AceStep15DecodeAudio", {}, []),
    mask: node("AceStep15RegionMask", { by: "seconds", "by.start": 0, "by.end": 1 }, ["source"]),
    repaint: node("AceStep15Repaint", { start: 0, end: 1 }, ["source", "mask", "start"]),
  };
  const graph = { nodes: Object.values(nodes), getLink: () => null };
  for (const each of graph.nodes) each.graph = graph;
  for (const [to, input, from] of wires)
    nodes[to].inputs.find(({ name }) => name === input).link = nodes[from];
  let steps = 0;
  const step = () => (steps += 1);
  app.rootGraph = graph;
  app.canvas = { emitBeforeChange: step, emitAfterChange: step, setDirty() {} };
  const take = { filename: "t.flac", subfolder: "audio", type: "output", seconds: 20 };
  const said = m.repaintPart(take, { start: 4, end: 9 });
  const values = (name) => nodes[name].widgets.map(({ value }) => value);
  const [loader, mask, repaint] = ["loader", "mask", "repaint"].map(values);
  return { said, steps, loader, mask, repaint };
}
"""
SOURCE = ["repaint", "source", "loader"]
UNTOUCHED = {"loader": ["a.wav"], "mask": ["seconds", 0, 1], "repaint": [0, 1], "steps": 0}


def repainted(*wires: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = evaluate(
        "waveform/repaint_part.js", f"await ({WORKFLOW})({[*wires]!r})"
    )
    return found


def test_the_take_is_the_source_and_the_part_the_region_in_one_step() -> None:
    assert repainted(SOURCE) == {
        **UNTOUCHED,
        "said": "partPut",
        "steps": 2,
        "loader": ["audio/t.flac [output]"],
        "repaint": [4, 9],
    }


def test_a_region_mask_before_repaint_gets_the_part() -> None:
    found = repainted(SOURCE, ["repaint", "mask", "mask"])
    assert found["mask"] == ["seconds", 4, 9]
    assert found["repaint"] == [0, 1]


def test_a_region_that_other_nodes_say_is_left_to_them() -> None:
    for wire in (["repaint", "start", "made"], ["repaint", "mask", "made"]):
        assert repainted(SOURCE, wire) == {**UNTOUCHED, "said": "regionWired"}


def test_a_source_that_another_node_makes_is_left_as_it_is() -> None:
    assert repainted(["repaint", "source", "made"]) == {**UNTOUCHED, "said": "sourceWired"}
