"""The names of the workflows' files, which ComfyUI's template browser shows as they are.

A workflow is known by its id, as in `workflows/api/<id>.json`; its page has its title as a name, so
that the list reads like a menu.
"""

from pathlib import Path
from typing import Any, Final

from tools.hosts.checkout import ROOT
from tools.workflows.apps import APPS
from tools.workflows.flows import FLOWS

WORKFLOWS: Final = ROOT / "workflows"
FIRST: Final = (  # in this order, before all others
    "start_here",
    "song_from_idea",
    "full_song_with_lyrics",
    "cover",
    "repaint_section",
    "extend_song",
    "stems",
    "karaoke",
    "best_of_four",
)


def _stem(name: str, title: str) -> str:
    numbered = f"{FIRST.index(name) + 1} {title}" if name in FIRST else title
    return f"{numbered}.app" if name in APPS else numbered


STEMS: Final = {flow.name: _stem(flow.name, flow.title) for flow in (make() for make in FLOWS)}
NAMES: Final = sorted(STEMS)


def page_path(name: str) -> Path:
    """The file of a workflow in the page's format.

    Raises:
        KeyError: there is no workflow of that id.
    """
    return WORKFLOWS / f"{STEMS[name]}.json"


def as_graph(page: dict[str, Any]) -> dict[str, Any]:
    """The same workflow, opened as a graph where it would open as an app."""
    return {**page, "extra": {**page["extra"], "linearMode": False}}
