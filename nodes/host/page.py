"""What goes to ComfyUI's page while a node runs; without a page it goes nowhere."""

import sys
from typing import Any


def send_text(text: str, hidden: Any) -> None:
    """Writes the lines of `text` on the node in the page that queued this run, and in no other: in
    another workflow the node's number belongs to another node. In a script that calls the node
    itself, `hidden` is None and there is nowhere to write."""
    server = _client_server()
    if server is not None and hidden is not None:
        lines = text.replace("\n", "  \n")  # Nodes 2.0 reads Markdown, which joins lines otherwise
        server.send_progress_text(lines, hidden.unique_id, server.client_id)


def client_connected() -> bool:
    """Whether the page that queued this run is connected and would get an event."""
    server = _client_server()
    return server is not None and server.client_id in server.sockets


def send_event(event: str, data: dict[str, Any]) -> None:
    """Sends an event to the page that queued this run."""
    server = _client_server()
    if server is not None:
        server.send_sync(event, data, server.client_id)


def _client_server() -> Any:
    """The server, where a page queued what it runs: what names no page would go to all."""
    server = _server()
    return None if server is None or server.client_id is None else server


def _server() -> Any:
    """None in a script or on another host."""
    server = getattr(sys.modules.get("server"), "PromptServer", None)
    return getattr(server, "instance", None)
