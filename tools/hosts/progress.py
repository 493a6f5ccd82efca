"""What a ComfyUI server sends about a prompt, read from its websocket in a thread."""

import asyncio
import contextlib
import importlib.util
import json
import threading
from collections.abc import Callable, Iterator
from typing import Any

from tools.hosts.host import OnProgress

OnEvent = Callable[[str, dict[str, Any]], None]  # its name and what comes with it

_CONNECT = 10.0  # seconds


@contextlib.contextmanager
def progress_events(port: int, client: str, on_progress: OnProgress | None) -> Iterator[None]:
    """Call `on_progress` for the prompts of `client` while inside; nothing without `aiohttp`."""
    if on_progress is None or importlib.util.find_spec("aiohttp") is None:
        yield
        return

    def report(event: str, data: dict[str, Any]) -> None:
        if event == "progress":
            on_progress(data["node"], int(data["value"]), int(data["max"]))

    with server_events(port, client, report):
        yield


@contextlib.contextmanager
def server_events(port: int, client: str, on_event: OnEvent) -> Iterator[None]:
    """Call `on_event` for every message to `client` while inside. It needs `aiohttp`."""
    loop = asyncio.new_event_loop()
    connected = threading.Event()
    address = f"http://127.0.0.1:{port}/ws?clientId={client}"
    task = loop.create_task(_listen(address, on_event, connected))
    thread = threading.Thread(target=_until_done, args=(loop, task), daemon=True)
    thread.start()
    connected.wait(_CONNECT)
    try:
        yield
    finally:
        loop.call_soon_threadsafe(task.cancel)
        thread.join(_CONNECT)
        loop.close()


async def _listen(address: str, on_event: OnEvent, connected: threading.Event) -> None:
    import aiohttp  # pyright: ignore[reportMissingImports]  a requirement of the host

    async with aiohttp.ClientSession() as session, session.ws_connect(address) as socket:
        connected.set()
        async for message in socket:
            if message.type is not aiohttp.WSMsgType.TEXT:
                continue  # previews
            event = json.loads(message.data)
            on_event(event["type"], event["data"])


def _until_done(loop: asyncio.AbstractEventLoop, task: asyncio.Task[None]) -> None:
    with contextlib.suppress(asyncio.CancelledError):
        loop.run_until_complete(task)
