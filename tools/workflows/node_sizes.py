"""How much room a node takes on ComfyUI's page: the larger of the classic canvas and Nodes 2.0."""

from collections.abc import Mapping
from typing import Any

from tools.workflows.graph import Node, Socket, inputs_of, outputs_of, slots_of, widget_values

SEEDS = ("seed", "noise_seed")  # whole numbers of these names get a second widget unasked
WAVEFORM = 126  # pixels that web/waveform/panel.js takes
EXTRA = {
    "PreviewImage": 140,
    "SaveVideo": 300,
    "AceStep15SaveAudio": WAVEFORM,
    "AceStep15RegionMask": WAVEFORM,
    "AceStep15Repaint": WAVEFORM,
    "PreviewAny": 80,
    "AceStep15LoadRecording": 84,  # the player and the button
}
SONG = "AceStep15Song"
AIDS = 24  # pixels of the row that web/writing puts below each text of a song
REPORTS = {  # pixels of the text that a run leaves below a node
    "AceStep15Sampler": 220,
    "AceStep15MakeStems": 220,
    "AceStep15Measure": 60,
    "AceStep15SaveAudio": 60,
}


def height_of(node: Node, classes: Mapping[str, Any]) -> int:
    """Without the title bar; with a player or a picture where the node shows one."""
    if node.folded:
        return 0
    node_class = classes[node.kind]
    sockets = inputs_of(node_class)
    rows = max(len(slots_of(node_class)), len(outputs_of(node_class)))
    tall = sum(bool(socket.settings.get("multiline")) for socket in sockets)
    seeds = sum(map(has_control, sockets))
    folded = sum(socket.is_widget and bool(socket.settings.get("advanced")) for socket in sockets)
    flat = len(widget_values(node, sockets)) - tall
    classic = 10 + 22 * rows + 26 * (flat + seeds) + 130 * tall
    nodes2 = 48 + 24 * rows + 35 * (flat - folded) + 100 * tall + 28 * bool(folded)
    return max(classic, nodes2) + EXTRA.get(node.kind, 0) + AIDS * tall * _writes_song(node)


def _writes_song(node: Node) -> bool:
    promoted = () if node.inside is None else node.inside.promoted
    return SONG in (node.kind, *(each.node.kind for each in promoted if each.name == "lyrics"))


def room_below(node: Node) -> int:
    """What a node needs below itself once it ran."""
    return 0 if node.folded else REPORTS.get(node.kind, 0)


def has_control(socket: Socket) -> bool:
    """Whether the page adds a widget that says what becomes of the value after a run."""
    named = socket.kind == "INT" and socket.name in SEEDS
    return bool(socket.settings.get("control_after_generate", named))
