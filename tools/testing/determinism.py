"""The same seed gives the same song: in a new process, after a reload, with threads, in a batch.

`python -m tools.testing.determinism [--times 10]`, on whichever host this environment has. Each
way is run so many times; the largest difference from the first song is a share of its peak, and 0
means the same bits.
"""

import argparse
import hashlib
import importlib
import os
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import torch
from torch import Tensor

from tools.hosts.host import Host, Prompt
from tools.hosts.local import start_local_host
from tools.hosts.pack import load_pack
from tools.miniature import miniature
from tools.workflows.prompts import read_prompt, with_input, with_miniature

CLIENT = "page"
BATCH = 3
SEED = 11


@dataclass(frozen=True)
class Found:
    """How far the songs of one way are from the first song, as a share of its peak."""

    way: str
    differences: list[float]

    def line(self) -> str:
        same = sum(each == 0 for each in self.differences)
        return f"{self.way:24s} {same:3d} of {len(self.differences)} {max(self.differences):9.1e}"


def song(batch: int = 1, preview_every: int = 0) -> Prompt:
    """Ten seconds from one seed; in a batch it is the first."""
    prompt = with_miniature(read_prompt("text_to_music"))
    for name, value in {"dtype": "fp32", "seconds": 10.0, "seed": SEED}.items():
        prompt = with_input(prompt, name, value)
    prompt = with_input(prompt, "batch_size", batch)
    vae = next(n for n, each in prompt.items() if each["class_type"] == "AceStep15LoadVAE")
    sampler = next(each for each in prompt.values() if each["class_type"] == "AceStep15Sampler")
    sampler["inputs"] |= {"vae": [vae, 0], "preview_every": preview_every, "preview_at": -1.0}
    return prompt


class Songs:
    """Makes the song in this process, in each way that needs no other."""

    def __init__(self, host: Host) -> None:
        """`host` has the pack, and the miniature among its models."""
        self.host = host

    def make(self, **options: int) -> Tensor:
        """[2, N], from its loaders on: nothing is taken from the cache."""
        self.host.forget()
        return self.again(**options)

    def again(self, **options: int) -> Tensor:
        """The same with the models that are loaded; only the sampler and what follows it runs."""
        prompt = song(**options)
        outcome = self.host.run(prompt)
        if not outcome.complete:
            raise RuntimeError(outcome.why())
        decoder = next(n for n, e in prompt.items() if e["class_type"] == "AceStep15DecodeAudio")
        return outcome.values[decoder][0]["waveform"][0].clone()

    def after_offload(self) -> Tensor:
        self.again(batch=2)  # so that the song is not taken from the cache
        importlib.import_module("comfy.model_management").unload_all_models()
        return self.again()

    def with_preview(self) -> Tensor:
        with connected_page() as sent:
            made = self.make(preview_every=1)
        if not sent:
            raise RuntimeError("no preview was sent")
        return made

    def with_threads(self, count: int) -> Tensor:
        before = torch.get_num_threads()
        torch.set_num_threads(count)
        try:
            return self.make()
        finally:
            torch.set_num_threads(before)

    def ways(self) -> dict[str, Callable[[], Tensor]]:
        ways: dict[str, Callable[[], Tensor]] = {
            "after reload": self.make,
            "with previews": self.with_preview,
            "1 thread": lambda: self.with_threads(1),
            "2 threads": lambda: self.with_threads(2),
            f"first of a batch of {BATCH}": lambda: self.make(batch=BATCH),
        }
        if hasattr(importlib.import_module("comfy.model_management"), "unload_all_models"):
            ways["after offload"] = self.after_offload
        return ways


@contextmanager
def connected_page() -> Iterator[list[Any]]:
    """A page that takes previews, in the place of the host's server; the events that it gets."""
    events: list[Any] = []
    page = SimpleNamespace(
        client_id=CLIENT,
        sockets={CLIENT: None},
        send_sync=lambda *event: events.append(event),
        send_progress_text=lambda *_: None,
    )
    before = sys.modules.get("server")
    sys.modules["server"] = SimpleNamespace(  # pyright: ignore[reportArgumentType]
        PromptServer=SimpleNamespace(instance=page)
    )
    try:
        yield events
    finally:
        del sys.modules["server"]
        if before is not None:
            sys.modules["server"] = before


def compare(songs: Songs, times: int) -> Iterator[Found]:
    """Each way `times` times, beside the first song."""
    first = songs.make()
    for way, make in songs.ways().items():
        yield Found(way, [difference(make(), first) for _ in range(times)])


def difference(made: Tensor, first: Tensor) -> float:
    if made.shape != first.shape:
        return float("inf")
    return ((made - first).abs().max() / first.abs().max()).item()


def digest(audio: Tensor) -> str:
    return hashlib.sha256(audio.contiguous().numpy().tobytes()).hexdigest()


def in_new_process(threads: int) -> str:
    """The digest of the song that another process makes."""
    command = [sys.executable, "-m", "tools.testing.determinism", "--digest"]
    environment = {**os.environ, "OMP_NUM_THREADS": str(threads)}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()[-1]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--times", type=int, default=10)
    parser.add_argument("--digest", action="store_true", help="only the digest of one song")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="acestep15-determinism-") as folder:
        host = start_local_host(Path(folder))
        load_pack(host)
        miniature(Path(folder) / "models")
        songs = Songs(host)
        first = songs.make()
        if given.digest:
            print(digest(first))
            return
        print(f"{songs.host.name}\nway, same bits of so many runs, largest difference")
        for found in compare(songs, given.times):
            print(found.line(), flush=True)
        for threads in (1, 2):
            here = digest(songs.with_threads(threads))
            made = [in_new_process(threads) for _ in range(given.times)]
            same = sum(each == here for each in made)
            print(f"new process, {threads} threads: {same} of {len(made)}", flush=True)


if __name__ == "__main__":
    main()
