"""A real ComfyUI with its own server, in a process of its own, on a free loopback port."""

import json
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from pathlib import Path
from types import TracebackType
from typing import Any

from tools.hosts.checkout import ROOT, standins_for
from tools.hosts.host import OnProgress, Outcome, Prompt, failure_of
from tools.hosts.progress import progress_events

_POLL = 0.1  # seconds
_START = 180.0  # seconds until the server must answer
_LOG_TAIL = 40  # lines shown when it does not


class ComfyServer:
    """`with ComfyServer(checkout, base_directory) as server: server.run(prompt)`.

    The pack is linked into custom_nodes/ below `base_directory`; the log is kept there too.
    """

    def __init__(
        self,
        checkout: Path,
        base_directory: Path,
        python: str = sys.executable,
        pack: Path = ROOT,
        options: tuple[str, ...] = (),
    ) -> None:
        self.checkout = checkout
        self.base_directory = base_directory
        self.python = python
        self.options = options
        self.log = base_directory / "server.log"
        self.name = f"ComfyUI at {checkout}"
        self.process: subprocess.Popen[bytes] | None = None
        for folder in ("models", "input", "output", "temp", "user", "custom_nodes"):
            (base_directory / folder).mkdir(parents=True, exist_ok=True)
        link = base_directory / "custom_nodes" / "acestep15"
        if not link.exists():
            link.symlink_to(pack, target_is_directory=True)

    def __enter__(self) -> "ComfyServer":
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self, timeout: float = _START) -> None:
        """
        Raises:
            RuntimeError: the server ended, or did not answer in time; with the end of its log.
        """
        self.port = _free_port()
        self.address = f"http://127.0.0.1:{self.port}"
        folders = [*standins_for(self.python), os.environ.get("PYTHONPATH", "")]
        environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, folders))}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [self.python, str(self.checkout / "main.py"), *self._arguments()],
                cwd=self.checkout,
                env=environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        deadline = time.monotonic() + timeout
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                self.stop()
                raise RuntimeError(f"ComfyUI did not start. The end of its log:\n{self.tail()}")
            time.sleep(_POLL)

    def stop(self, timeout: float = 20.0) -> None:
        """End the server's process; only this one."""
        if self.process is None:
            return
        self.process.terminate()
        try:
            self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout)
        self.process = None

    def tail(self) -> str:
        """The last lines of the server's log."""
        return "\n".join(self.log.read_text(errors="replace").splitlines()[-_LOG_TAIL:])

    def get(self, path: str) -> Any:
        """The JSON at `path`, such as /object_info."""
        return json.loads(self.get_bytes(path))

    def get_bytes(self, path: str) -> bytes:
        with urllib.request.urlopen(self.address + path, timeout=60) as answer:
            return answer.read()

    def view(self, file: dict[str, str]) -> bytes:
        """The content of a result `{"filename": ..., "subfolder": ..., "type": ...}`."""
        return self.get_bytes("/view?" + urllib.parse.urlencode(file))

    def interrupt(self) -> None:
        self._post("/interrupt", {})

    def queue(
        self, prompt: Prompt, extra_pnginfo: dict[str, Any] | None = None, client: str = "tools"
    ) -> dict[str, Any]:
        """The server's answer to /prompt: `prompt_id` and `node_errors`, or `error`."""
        body: dict[str, Any] = {"prompt": prompt, "client_id": client}
        if extra_pnginfo is not None:
            body["extra_data"] = {"extra_pnginfo": extra_pnginfo}
        try:
            return self._post("/prompt", body)
        except urllib.error.HTTPError as refusal:
            return json.loads(refusal.read())

    def run(
        self,
        prompt: Prompt,
        on_progress: OnProgress | None = None,
        extra_pnginfo: dict[str, Any] | None = None,
        timeout: float = 600.0,
    ) -> Outcome:
        """Queue `prompt` and wait for its end. Progress is reported only with `aiohttp`.

        Raises:
            TimeoutError: it did not end in time; it has been interrupted.
        """
        client = uuid.uuid4().hex
        with progress_events(self.port, client, on_progress):
            answer = self.queue(prompt, extra_pnginfo, client)
            node_errors = answer.get("node_errors") or {}
            if "prompt_id" not in answer:
                return Outcome("refused", node_errors, answer["error"])
            return self.wait(answer["prompt_id"], node_errors, timeout)

    def wait(self, prompt_id: str, node_errors: dict[str, Any], timeout: float) -> Outcome:
        """What became of a queued prompt, by polling /history."""
        deadline = time.monotonic() + timeout
        while True:
            entry = self.get(f"/history/{prompt_id}").get(prompt_id)
            if entry is not None:
                return _outcome(entry, node_errors)
            if self.process is None or self.process.poll() is not None:
                raise RuntimeError(f"ComfyUI ended. The end of its log:\n{self.tail()}")
            if time.monotonic() > deadline:
                self.interrupt()
                raise TimeoutError(f"The prompt did not end in {timeout:g} s; interrupted.")
            time.sleep(_POLL)

    def _post(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            self.address + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=60) as answer:
            content = answer.read()
        return json.loads(content) if content else None

    def _arguments(self) -> list[str]:
        folder = str(self.base_directory)
        return [
            *("--cpu", "--listen", "127.0.0.1", "--port", str(self.port)),
            *("--base-directory", folder, "--user-directory", str(Path(folder) / "user")),
            *("--database-url", "sqlite:///:memory:", "--disable-api-nodes"),
            *self.options,
        ]

    def _answers(self) -> bool:
        try:
            return bool(self.get("/system_stats"))
        except OSError:  # refused while it is starting
            return False


def _outcome(entry: dict[str, Any], node_errors: dict[str, Any]) -> Outcome:
    """What /history says, as an `Outcome`."""
    status, error, cached = "success", None, set[str]()
    ran = None
    for event, data in entry["status"]["messages"]:
        if event in ("execution_error", "execution_interrupted"):
            status, error = failure_of(event, data)
            ran = tuple(data["executed"])
        elif event == "execution_cached":
            cached = set(data["nodes"])
    ui = {node_id: shown for node_id, shown in entry["outputs"].items() if shown}
    if ran is None:
        ran = tuple(node_id for node_id in entry["prompt"][2] if node_id not in cached)
    return Outcome(status, node_errors, error, ui, ran)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
