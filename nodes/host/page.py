"""What goes to ComfyUI's page while a node runs; without a page it goes nowhere."""

import sys
from typing import Any


def show(text: str, hidden: Any) -> None:
    """Writes the lines of `text` on the node in the page that queued this run, and in no other: in
    another workflow the node's number belongs to another node. In a script that calls the node
    itself, `hidden` is None and there is nowhere to write."""
    page = _page()
    if page is not None and hidden is not None:
        lines = text.replace("\n", "  \n")  # Nodes 2.0 reads Markdown, which joins lines otherwise
        page.send_progress_text(lines, hidden.unique_id, page.client_id)


def attended() -> bool:
    """Whether the page that queued this run is connected and would get an event."""
    page = _page()
    return page is not None and page.client_id in page.sockets


def tell(event: str, data: dict[str, Any]) -> None:
    """Sends an event to the page that queued this run."""
    page = _page()
    if page is not None:
        page.send_sync(event, data, page.client_id)


def _page() -> Any:
    """The server, where a page queued what it runs: what names no page would go to all."""
    server = _server()
    return None if server is None or server.client_id is None else server


def _server() -> Any:
    """None in a script or on another host."""
    server = getattr(sys.modules.get("server"), "PromptServer", None)
    return getattr(server, "instance", None)
