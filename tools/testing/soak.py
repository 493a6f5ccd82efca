"""Many mixed prompts through one ComfyUI: its memory and its temp folder must not grow.

`python -m tools.testing.soak [--prompts 300]`, in the environment of a ComfyUI. A page is
connected, so that the previews and waveforms which it would play are written.
"""

import argparse
import random
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from api_examples.stage import write_recording
from tools.hosts.checkout import require_checkout
from tools.hosts.host import Prompt
from tools.hosts.progress import server_events
from tools.hosts.server import ComfyServer
from tools.miniature import miniature
from tools.workflows.prompts import read_prompt, with_miniature

WORKFLOWS = (
    *("text_to_music", "repaint_section", "cover", "karaoke", "stock_sampler", "variations"),
    *("audio_to_audio", "codes_as_material", "extend_song", "high_quality_base"),
    *("understand_audio", "best_of_four"),
)
SOURCES = 12  # recordings, some of which are used again
OURS = "ace_step_*"


@dataclass(frozen=True)
class Sample:
    """The server after so many prompts: resident memory and the temp folder, in bytes."""

    prompts: int
    resident: int
    ours: int
    temp: int
    files: int

    def line(self) -> str:
        sizes = (f"{size / 1e6:8.1f}" for size in (self.resident, self.ours, self.temp))
        return f"{self.prompts:5d} {' '.join(sizes)} {self.files:6d}"


def write_recordings(folder: Path) -> None:
    """In several lengths: each is another source."""
    for number in range(SOURCES):
        write_recording(folder / f"source_{number}.wav", 5.0 + 0.5 * number)


def prompts(seed: int = 0) -> Iterator[Prompt]:
    """The workflows in turn, each time with other seeds, lengths and recordings."""
    choose = random.Random(seed)
    number = 0
    while True:
        prompt = with_miniature(read_prompt(WORKFLOWS[number % len(WORKFLOWS)]))
        vae = [n for n, each in prompt.items() if each["class_type"] == "AceStep15LoadVAE"]
        for node in prompt.values():
            _vary(node["inputs"], choose)
            if node["class_type"] == "AceStep15Sampler":
                node["inputs"] |= {"vae": [vae[0], 0], "preview_every": 1, "preview_at": -1.0}
        yield prompt
        number += 1


def _vary(inputs: dict[str, object], choose: random.Random) -> None:
    changes = {
        "seed": choose.randrange(2**31),
        "noise_seed": choose.randrange(2**31),
        "seconds": choose.choice((10.0, 12.0, 15.0)),
        "dtype": "fp32",
        "settings.steps": 4,
        "audio": f"source_{choose.randrange(SOURCES)}.wav",
    }
    for name, value in changes.items():
        if name in inputs and not isinstance(inputs[name], list):
            inputs[name] = value


def soak(server: ComfyServer, count: int, every: int = 10) -> Iterator[Sample]:
    """The server after each `every` prompts of `count`.

    Raises:
        RuntimeError: a prompt failed, or the server ended.
    """
    client = uuid.uuid4().hex
    with server_events(server.port, client, lambda *_: None):
        for number, prompt in zip(range(1, count + 1), prompts(), strict=False):
            answer = server.queue(prompt, client=client)
            if "prompt_id" not in answer or answer.get("node_errors"):
                raise RuntimeError(f"prompt {number} was refused: {answer}")
            outcome = server.wait(answer["prompt_id"], {}, timeout=300)
            if not outcome.complete:
                raise RuntimeError(f"prompt {number}: {outcome.status}: {outcome.why()}")
            if number % every == 0:
                yield _sample(server, number)


def growth(samples: list[Sample]) -> float:
    """Bytes of resident memory per prompt over the second half, by the slope between any two."""
    half = samples[len(samples) // 2 :]
    slopes = [
        (later.resident - one.resident) / (later.prompts - one.prompts)
        for index, one in enumerate(half)
        for later in half[index + 1 :]
    ]
    return statistics.median(slopes)


def _sample(server: ComfyServer, number: int) -> Sample:
    if server.process is None:
        raise RuntimeError("the server has ended")
    status = Path(f"/proc/{server.process.pid}/status").read_text()
    resident = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
    temp = server.base_directory / "temp"
    sizes = {path.name: path.stat().st_size for path in temp.rglob("*") if path.is_file()}
    ours = [size for name, size in sizes.items() if Path(name).match(OURS)]
    memory, whole = int(resident.split()[1]) * 1024, sum(sizes.values())
    return Sample(number, memory, sum(ours), whole, len(ours))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--prompts", type=int, default=300)
    count = parser.parse_args().prompts
    checkout = require_checkout()
    began, samples = time.monotonic(), []
    with tempfile.TemporaryDirectory(prefix="acestep15-soak-") as folder:
        base = Path(folder)
        miniature(base / "models")
        server = ComfyServer(checkout, base)
        write_recordings(base / "input")
        print("prompts  resident  ours in temp  all of temp (MB), files of ours")
        with server:
            for sample in soak(server, count):
                samples.append(sample)
                print(sample.line(), flush=True)
    print(f"{growth(samples) / 1e3:.1f} kB per prompt in the second half")
    print(f"{count} prompts in {time.monotonic() - began:.0f} s on {server.name}")


if __name__ == "__main__":
    main()
