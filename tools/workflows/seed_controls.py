"""What becomes of a workflow's seeds after a run: drawn anew for another take, or left as they are.

The page has a widget beside each seed that says it, *control after generate*. Seeds are drawn anew
unless the workflow is in `KEPT`, whose point is what one changes oneself.
"""

from collections.abc import Mapping
from typing import Any, Final

from tools.workflows.graph import Flow, Node, inputs_of
from tools.workflows.node_sizes import has_control

RANDOMIZE, FIXED = "randomize", "fixed"  # as the page has them
KEPT: Final = frozenset(
    {
        # they edit what is there
        "new_words",
        "new_style",
        "polish_prompt",
        "stems",
        "stem_board",
        "understand_audio",
        # they compare
        "codes_as_material",
        "custom_timesteps",
        "stock_sampler",
        "variations",
    }
)
ENCODERS: Final = frozenset(
    {"AceStep15EncodeAudio", "AceStep15ReferenceAudio"}
)  # no music of theirs
NEW_TAKES: Final = """Each **Run** draws new seeds and gives another take. To stay with one set \
*control after generate* to *fixed*. A saved song has its seeds in it: drop the file on the \
canvas."""
SAME_SEEDS: Final = """The seeds stay *fixed* here: run again, and only what you changed is \
different. For another take set *control after generate* to *randomize*."""


def control_of(flow: Flow, node: Node) -> str:
    """The value of the widget beside a seed of `node`."""
    kept = flow.name in KEPT or node.kind in ENCODERS
    return FIXED if kept else RANDOMIZE


def note_of(flow: Flow, classes: Mapping[str, Any]) -> str:
    """The workflow's note, with what becomes of its seeds before any heading within."""
    if not any(has_control(each) for node in flow.nodes for each in inputs_of(classes[node.kind])):
        return flow.note
    said = SAME_SEEDS if flow.name in KEPT else NEW_TAKES
    before, heading, after = flow.note.partition("\n### ")
    return f"{before.rstrip()}\n\n{said}\n{heading}{after}"
