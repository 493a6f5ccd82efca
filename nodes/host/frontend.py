"""What goes to ComfyUI's page while a node runs: texts, events and progress; and its metadata.

In a run without a page, texts and events go nowhere.
"""

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Final

import comfy.cli_args
import comfy.model_management
import comfy.utils

from ...ace_core.time_left import UNIT, StepClock

Counter = Callable[[int, int], None]  # (done, total)
INTERVAL: Final = 0.5  # seconds from a text about progress to the next; none before the first
_heading: ContextVar[str] = ContextVar("heading", default="")


def send_text(text: str, hidden: Any) -> None:
    """Writes the lines of `text` on the node in the page that queued this run, and in no other: in
    another workflow the node's number belongs to another node. In a script that calls the node
    itself, `hidden` is None and there is nowhere to write."""
    if hidden is not None:
        _write(text, hidden.unique_id)


@contextmanager
def progress_heading(text: str) -> Iterator[None]:
    """What stands above the progress of what runs within, such as which of several songs it is; one
    within another comes below it."""
    token = _heading.set("\n".join(filter(None, (_heading.get(), text))))
    try:
        yield
    finally:
        _heading.reset(token)


def progress_text(unit: str = UNIT, open_end: bool = False) -> Counter:
    """A callback that writes on the node that runs how far it is, at most twice a second, and not
    before it has run that long."""
    clock, node, last = StepClock(unit, open_end), _running_node(), time.perf_counter()

    def report(done: int, total: int) -> None:
        nonlocal last
        words, now = clock.text(done, total), time.perf_counter()
        if node is not None and now - last >= INTERVAL:
            last = now
            _write("\n".join(filter(None, (_heading.get(), words))), node)

    return report


def _write(text: str, node: str) -> None:
    server = _client_server()
    if server is not None:
        lines = text.replace("\n", "  \n")  # Nodes 2.0 reads Markdown, which joins lines otherwise
        server.send_progress_text(lines, node, server.client_id)


def _running_node() -> str | None:
    """The id of the node that the host runs at present; None in a script."""
    module = sys.modules.get("comfy_execution.utils")
    context = None if module is None else module.get_executing_context()
    return None if context is None else context.node_id


def client_connected() -> bool:
    """Whether the page that queued this run is connected and would get an event."""
    server = _client_server()
    return server is not None and server.client_id in server.sockets


def client_id() -> str | None:
    """The page that queued this run; None in a run without one."""
    server = _client_server()
    return None if server is None else server.client_id


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


def check_interrupt() -> None:
    """Ends the node here, where the user has pressed stop."""
    comfy.model_management.throw_exception_if_processing_interrupted()


def progress_bar(unit: str = UNIT, open_end: bool = False) -> Counter:
    """A callback that updates the node's progress bar, writes on the node how far it is, and checks
    for an interrupt at each step. `unit` and `open_end`: see `StepClock`."""
    bar, say = None, progress_text(unit, open_end)

    def report(done: int, total: int) -> None:
        nonlocal bar
        check_interrupt()
        bar = bar or comfy.utils.ProgressBar(total)
        bar.update_absolute(done, total)
        say(done, total)

    return report


def graph_tags(hidden: Any) -> dict[str, str]:
    """`prompt` and `workflow` as JSON, empty when ComfyUI was started with --disable-metadata."""
    if comfy.cli_args.args.disable_metadata:
        return {}
    found = {"prompt": hidden.prompt, **(hidden.extra_pnginfo or {})}
    return {name: json.dumps(value) for name, value in found.items() if value is not None}
