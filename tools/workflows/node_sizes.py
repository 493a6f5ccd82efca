"""How much room a node takes on ComfyUI's page: the larger of the classic canvas and Nodes 2.0."""

from collections.abc import Mapping
from typing import Any

from tools.workflows.graph import Node, Socket, inputs_of, outputs_of, slots_of, widget_values

WIDTH = 340  # pixels
SEEDS = ("seed", "noise_seed")  # whole numbers of these names get a second widget unasked
WAVEFORM = 126  # pixels that web/waveform/panel.js takes
REPORT = 220  # that a run leaves on its node, in nine lines or ten
LINE = 60  # likewise, one line
EXTRA = {
    "PreviewImage": 300,
    "SaveVideo": 300,
    "AceStep15SaveAudio": WAVEFORM,
    "AceStep15RegionMask": WAVEFORM,
    "AceStep15Repaint": WAVEFORM,
    "AceStep15Sampler": REPORT,
    "AceStep15MakeStems": REPORT,
    "AceStep15Measure": LINE,
    "PreviewAny": 120,
    "AceStep15LoadRecording": 84,  # the player and the button
}


def height_of(node: Node, classes: Mapping[str, Any]) -> int:
    """Without the title bar; with a player or a picture where the node shows one."""
    node_class = classes[node.kind]
    sockets = inputs_of(node_class)
    rows = max(len(slots_of(node_class)), len(outputs_of(node_class)))
    tall = sum(bool(socket.settings.get("multiline")) for socket in sockets)
    seeds = sum(map(has_control, sockets))
    folded = sum(socket.is_widget and bool(socket.settings.get("advanced")) for socket in sockets)
    flat = len(widget_values(node, sockets)) - tall
    classic = 10 + 22 * rows + 26 * (flat + seeds) + 130 * tall
    nodes2 = 48 + 24 * rows + 35 * (flat - folded) + 100 * tall + 28 * bool(folded)
    return max(classic, nodes2) + EXTRA.get(node.kind, 0)


def has_control(socket: Socket) -> bool:
    """Whether the page adds a widget that says what becomes of the value after a run."""
    named = socket.kind == "INT" and socket.name in SEEDS
    return bool(socket.settings.get("control_after_generate", named))


def widget_height(node: Node, place: int, classes: Mapping[str, Any]) -> int:
    """The middle of the input at `place`, where the widgets are counted behind the slots."""
    node_class = classes[node.kind]
    slots = slots_of(node_class)
    if place < len(slots):
        return slot_height(place)
    above = [each for each in inputs_of(node_class) if each.is_widget][: place - len(slots)]
    rows = max(len(slots), len(outputs_of(node_class)))
    tall = sum(bool(each.settings.get("multiline")) for each in above)
    flat = len(above) - tall + sum(map(has_control, above))
    return 20 + 22 * rows + 26 * flat + 130 * tall


def slot_height(place: int) -> int:
    """The middle of the slot at `place`, in pixels below the node's top."""
    return 14 + 22 * place
