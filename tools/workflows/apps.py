"""The workflows that open as an app: which widgets it shows, under which labels, and whose sound.

ComfyUI's app mode shows chosen widgets of a graph beside its results; the graph is the workflow's
own, one click away. A page without app mode opens the graph.
"""

from dataclasses import dataclass
from typing import Any, Final

from tools.workflows.graph import Flow, Node

SONG, SAVE = "AceStep15Song", "AceStep15SaveAudio"
SUBGRAPH: Final = "subgraph"  # in place of a node's kind
TAKES: Final = "waveform"  # the widget in which web/waveform/takes.js shows what was saved

LABEL: Final = "acestep15 label"  # as in web/app_mode.js


@dataclass(frozen=True)
class Shown:
    """A widget of the first node of its kind, or of another; `label` is what a person reads."""

    kind: str
    widget: str
    label: str
    place: int = 0

    def node(self, flow: Flow) -> Node:
        """
        Raises:
            IndexError: the flow has no such node.
        """
        named = [node for node in flow.nodes if self.kind in (node.kind, _part(node))]
        return named[self.place]


def _part(node: Node) -> str:
    return SUBGRAPH if node.inside is not None else ""


RECORDING = Shown("AceStep15LoadRecording", "audio", "Your recording")
LANGUAGE = Shown(SONG, "language", "Language")
RESULT = Shown(SAVE, TAKES, "Takes")

APPS: Final = {  # what one writes, the takes of it, and details below
    "start_here": (
        Shown(SUBGRAPH, "caption", "What it sounds like"),
        Shown(SUBGRAPH, "lyrics", "Lyrics"),
        RESULT,
        Shown(SUBGRAPH, "instrumental", "Instrumental"),
        Shown(SUBGRAPH, "seconds", "Length in seconds"),
        Shown(SUBGRAPH, "language", "Language"),
    ),
    "song_from_idea": (
        Shown("AceStep15CreateSample", "query", "What it is about"),
        RESULT,
        Shown("AceStep15CreateSample", "instrumental", "Instrumental"),
        Shown("AceStep15CreateSample", "language", "Language"),
        Shown("AceStep15CreateSample", "seconds", "Length in seconds"),
    ),
    "cover": (
        RECORDING,
        Shown(SONG, "caption", "New style"),
        Shown(SONG, "lyrics", "Lyrics"),
        RESULT,
        Shown("AceStep15Cover", "cover_strength", "How close to the recording"),
        LANGUAGE,
    ),
    "repaint_section": (
        RECORDING,
        Shown("AceStep15Repaint", "waveform", "Section to make anew"),
        Shown(SONG, "lyrics", "All lyrics, with the new words"),
        RESULT,
        Shown(SONG, "caption", "What the song sounds like"),
        Shown("AceStep15Repaint", "start", "From second"),
        Shown("AceStep15Repaint", "end", "To second"),
    ),
    "stems": (
        RECORDING,
        Shown("AceStep15Extract", "track", "Take out"),
        Shown(SONG, "caption", "What the recording sounds like"),
        Shown(SAVE, TAKES, "What was taken out"),
        Shown(SAVE, TAKES, "What is left", 1),
    ),
    "karaoke": (
        Shown(SONG, "caption", "What it sounds like"),
        Shown(SONG, "lyrics", "Lyrics"),
        RESULT,
        Shown(SONG, "seconds", "Length in seconds"),
        LANGUAGE,
        Shown("AceStep15SaveLyrics", "format", "Lyrics file"),
    ),
}


def app_of(flow: Flow) -> dict[str, Any]:
    """What the page's `extra` says of the app; empty where the workflow is none."""
    if flow.name not in APPS:
        return {}
    inputs = [[flow.number(each.node(flow)), each.widget] for each in APPS[flow.name]]
    outputs = [flow.number(node) for node in flow.nodes if node.kind == SAVE]
    return {"linearMode": True, "linearData": {"inputs": inputs, "outputs": outputs}}


def properties_of(flow: Flow, node: Node) -> dict[str, str]:
    """The name of our own widget, which has no input to carry it."""
    labels = labels_of(flow, node)
    return {LABEL: labels[TAKES]} if TAKES in labels else {}


def labels_of(flow: Flow, node: Node) -> dict[str, str]:
    """What the widgets of a node are called, where an app shows them."""
    shown = APPS.get(flow.name, ())
    return {each.widget: each.label for each in shown if each.node(flow) is node}
