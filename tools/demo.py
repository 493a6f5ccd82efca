"""One command to music: `python -m tools.demo [TASK]` runs a workflow on the miniature.

Without a task it plays a song; `make demo CAPTION="calm kalimba in D minor, 90 bpm"` asks for one
of your own. The other tasks start from a recording that comes with the pack. It runs in a real
ComfyUI where there is one, else on a stand-in, and says which, and what was understood.
"""

import argparse
import os
import re
import sys
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

from ace_core.audio.files import read_audio
from ace_core.measure.measurement import measure
from tools.hosts.checkout import ROOT, find_checkout, has_requirements
from tools.hosts.host import Outcome, Prompt
from tools.hosts.server import ComfyServer
from tools.miniature.embedded import Embedded, embedded
from tools.miniature.recordings import FOLDER
from tools.miniature.world.understood import NotUnderstoodError, Understood, understand
from tools.workflows.prompts import (
    miniature_name,
    read_prompt,
    with_input,
    with_inputs,
    with_miniature,
)

BAND = "upbeat groove with drums, bass, electric piano and kalimba in A minor, 125 bpm"
CAPTION = "upbeat groove with drums, bass, electric piano and kalimba in A minor, 107 bpm"
SECONDS = 24.0
SEED = 7
SONG, PLANNED, PLAIN = "song", "full_song_with_lyrics", "text_to_music"
BASE_FILE = miniature_name("acestep_v1.5_base.safetensors")
LOADER, EXAMPLE = "AceStep15LoadRecording", " [example]"
OUTPUT = ROOT / "output" / "demo"
Fetch = Callable[[dict[str, str]], bytes]  # a result of a node -> the file's content


class Task(NamedTuple):
    """A workflow, what is asked of it, and whether turbo cannot do it."""

    workflow: str
    caption: str
    wants_base: bool = False


TASKS = {  # `song` is text to music, the first of the six
    SONG: Task(PLANNED, CAPTION),
    "cover": Task("cover", "calm organ with bass and bells in A minor, 125 bpm"),
    "repaint": Task("repaint_section", BAND),
    "lego": Task("add_instrument", BAND, wants_base=True),
    "extract": Task("stems", BAND, wants_base=True),
    "complete": Task("complete_arrangement", BAND, wants_base=True),
}


class Result(NamedTuple):
    """What a run showed: sounds and a picture by name, and the plan of a language model."""

    files: dict[str, bytes]
    plan: str


def main(arguments: Sequence[str]) -> None:
    chosen, given, began = _parser().parse_args(arguments), embedded(), time.monotonic()
    task = TASKS[chosen.task]
    try:
        wish = understand(task.caption if chosen.caption is None else chosen.caption)
    except NotUnderstoodError as error:
        sys.exit(str(error))
    if task.wants_base and given.plays and "base" in given.absent:
        sys.exit(f"The trained miniature has no base model yet, which {chosen.task} needs.")
    played = wish.in_world()
    prompt = prompt_of(chosen.task, played, given, chosen.seed)
    checkout = find_checkout()
    _say([*given.lines(), f"Caption: {wish.caption}", *wish.lines()])
    with tempfile.TemporaryDirectory(prefix="acestep15-demo-") as folder:
        base = Path(folder)
        given.write(base / "models")
        result = _run(prompt, base, checkout)
    out = OUTPUT if chosen.task == SONG else OUTPUT / chosen.task
    out.mkdir(parents=True, exist_ok=True)
    files = {**sources(prompt), **result.files}
    for name, content in files.items():
        (out / name).write_bytes(content)
    if given.plays:
        _say(summary(played, result, out))
    _say([*(str(out / name) for name in files)])
    print(f"seed {chosen.seed}, {time.monotonic() - began:.0f} s")


def prompt_of(task: str, wish: Understood, given: Embedded, seed: int) -> Prompt:
    """The workflow with the song that was asked for; planned where there is a language model."""
    song = {
        "caption": wish.caption,
        "lyrics": "",
        "instrumental": True,
        "language": "auto",
        "bpm": round(wish.bpm or 0),
        "key": wish.key or "auto",
        "time_signature": f"{wish.meter}/{8 if wish.meter == 6 else 4}" if wish.meter else "auto",
    }
    name = TASKS[task].workflow
    if task == SONG:
        song["seconds"] = SECONDS
        name = PLANNED if given.plans else PLAIN
    prompt = with_miniature(read_prompt(name))
    if given.plays and given.model == "base":
        prompt = with_inputs(prompt, "AceStep15LoadModel", {"file": BASE_FILE})
    return with_input(with_inputs(prompt, "AceStep15Song", song), "seed", seed)


def sources(prompt: Prompt) -> dict[str, bytes]:
    """The recordings that a workflow starts from, to hear beside what became of them."""
    loaders = (node for node in prompt.values() if node["class_type"] == LOADER)
    names = sorted({node["inputs"]["audio"].removesuffix(EXAMPLE) for node in loaders})
    return {f"source_{name}": (FOLDER / name).read_bytes() for name in names}


def summary(wish: Understood, result: Result, out: Path) -> Iterator[str]:
    """What became of the wish."""
    if result.plan:
        yield f"Planned by the language model:\n{result.plan}"
    asked = [f"{wish.bpm:g} BPM"] if wish.bpm is not None else []
    asked += [wish.key] if wish.key is not None else []
    yield f"Asked for: {', '.join(asked) or 'no tempo and no key'}."
    for name in result.files:
        if name.endswith(".flac"):
            audio, rate = read_audio(out / name)
            found = measure(audio[0], rate)
            tempo = "no tempo" if found.tempo is None else f"{found.tempo.bpm:.1f} BPM"
            yield f"Measured on {name}: {tempo}, {found.key.name if found.key else 'no key'}."
    yield "It is a miniature: it knows these few sounds and nothing else."


def _run(prompt: Prompt, base: Path, checkout: Path | None) -> Result:
    """Made by the ComfyUI of `checkout` where this Python can run it."""
    if checkout is not None and has_requirements():
        server = ComfyServer(checkout, base)
        print(f"Running in {server.name}, on the CPU.")
        with server, _Bars(prompt) as bars:
            return _result(prompt, server.run(prompt, bars.update), server.view)
    from tools.hosts.local import start_local_host
    from tools.hosts.pack import load_pack

    host = start_local_host(base)
    load_pack(host)
    print(f"Running on {host.name}.")
    with _Bars(prompt) as bars:
        return _result(prompt, host.run(prompt, bars.update), lambda file: _read(base, file))


def _result(prompt: Prompt, outcome: Outcome, fetch: Fetch) -> Result:
    if not outcome.complete:
        sys.exit(f"The workflow did not run to its end ({outcome.status}):\n{outcome.why()}")
    files = {}
    for node, shown in outcome.ui.items():
        for file in shown.get("audio", ()):
            if file["type"] == "output":
                files[f"{_plain(file['filename'])}.flac"] = fetch(file)
        drawn = prompt[node]["inputs"].get("images", ("", 0))[0]
        if prompt.get(drawn, {}).get("class_type") == "AceStep15Picture":
            files["song.png"] = fetch(shown["images"][0])
    if not files:
        sys.exit("The workflow saved no sound.")
    texts = (text for shown in outcome.ui.values() for text in shown.get("text", ()))
    return Result(dict(sorted(files.items())), "\n".join(texts))


def _plain(name: str) -> str:
    """The prefix that a workflow gives to a file, without its number; of a whole song `song`."""
    prefix = re.sub(r"_\d+_?\.\w+$", "", name)
    return SONG if prefix == "ACE-Step" else prefix


def _read(base: Path, file: dict[str, str]) -> bytes:
    return (base / file["type"] / file["subfolder"] / file["filename"]).read_bytes()


def _say(lines: Iterable[str]) -> None:
    for line in lines:
        print(line, flush=True)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.demo", description=__doc__)
    parser.add_argument("task", nargs="?", choices=list(TASKS), default=SONG)
    parser.add_argument(
        "--caption",
        default=os.environ.get("CAPTION"),
        help="what to play; else what the environment's CAPTION says, else one of the task's own",
    )
    parser.add_argument("--seed", type=int, default=SEED, help="another one plays another song")
    return parser


class _Bars:
    """One progress bar per node, in the order in which the nodes report."""

    def __init__(self, prompt: Prompt) -> None:
        self.titles = {
            node_id: node.get("_meta", {}).get("title", node["class_type"])
            for node_id, node in prompt.items()
        }
        self.node = ""
        self.bar: Any = None

    def __enter__(self) -> "_Bars":
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def update(self, node: str, done: int, total: int) -> None:
        if node != self.node or self.bar is None or total != self.bar.total or done < self.bar.n:
            self._close()
            self.bar = tqdm(total=total, desc=self.titles.get(node, node))
            self.node = node
        self.bar.update(done - self.bar.n)
        if done >= total:
            self._close()

    def _close(self) -> None:
        if self.bar is not None:
            self.bar.close()


if __name__ == "__main__":
    main(sys.argv[1:])
