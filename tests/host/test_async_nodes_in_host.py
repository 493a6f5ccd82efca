"""Why saving does not run as an async node: the host reports one only when no other node is ready,
so a finished song would reach the page after all that is computed behind it."""

import asyncio
import threading
from typing import Any

from tools.hosts.host import Host

SOON = 0.5  # seconds that a node gives the host to report what is finished


def test_a_finished_async_node_is_reported_after_the_nodes_that_are_ready(
    host: Host, monkeypatch: Any
) -> None:
    from comfy_api.latest import io

    messages: Any = getattr(host, "messages")  # noqa: B009  of the host in this process
    finished, reported, found = threading.Event(), threading.Event(), []

    class Save(io.ComfyNode):
        @classmethod
        def define_schema(cls) -> io.Schema:
            return io.Schema(node_id="ToyAsyncSave", inputs=[], is_output_node=True)

        @classmethod
        async def execute(cls) -> io.NodeOutput:
            await asyncio.to_thread(finished.set)
            return io.NodeOutput(ui={"saved": (True,)})

    class Song(io.ComfyNode):
        @classmethod
        def define_schema(cls) -> io.Schema:
            return io.Schema(node_id="ToyNextSong", inputs=[], outputs=[io.Int.Output()])

        @classmethod
        def execute(cls) -> io.NodeOutput:
            found.append((finished.wait(120), reported.wait(SOON)))
            return io.NodeOutput(1)

    class Heard(io.ComfyNode):
        @classmethod
        def define_schema(cls) -> io.Schema:
            return io.Schema(node_id="ToyHeard", inputs=[io.Int.Input("song")], is_output_node=True)

        @classmethod
        def execute(cls, song: int) -> io.NodeOutput:
            return io.NodeOutput()

    def send(event: Any, data: Any, client_id: str | None = None) -> None:
        if event == "executed" and data["node"] == "save":
            reported.set()
        messages.sent.append((event, data))

    host.nodes.update(ToyAsyncSave=Save, ToyNextSong=Song, ToyHeard=Heard)
    monkeypatch.setattr(messages, "send_sync", send)
    prompt = {
        "save": {"class_type": "ToyAsyncSave", "inputs": {}},
        "song": {"class_type": "ToyNextSong", "inputs": {}},
        "heard": {"class_type": "ToyHeard", "inputs": {"song": ["song", 0]}},
    }
    outcome = host.run(prompt)
    assert outcome.complete, outcome.why()
    assert outcome.ran == ("save", "song", "heard")
    assert found == [(True, False)]  # it was finished, and not reported while the song was made
    assert reported.is_set()
