"""What the examples are run with: models, a folder to save in, a recording to start from.

Without a project folder of your own that is the miniature, and songs of ten seconds: the trained
family where all of its parts are there, else random weights, which play texture, not music.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ace_core.audio.files import Encoding, FileFormat, save
from ace_core.inference import AceStepHandler, LLMHandler

SHORT = 10.0  # seconds
RATE = 48_000
Example = Callable[..., Any]


@dataclass(frozen=True)
class Stage:
    """`model` is a turbo, `base` a base model; `seconds` shortens every song, if given."""

    project: Path
    model: str
    base: str
    lm: str
    device: str
    out: Path
    recording: str
    seconds: float | None

    def run(self, example: Example, wants_base: bool) -> bool:
        """Whether `example` did what it promises."""
        dit_handler, llm_handler = AceStepHandler(), LLMHandler()
        name = self.base if wants_base else self.model
        ready = dit_handler.initialize_service(str(self.project), name, self.device)
        lm_ready = llm_handler.initialize(str(self.project), self.lm, device=self.device)
        for status, fine in (ready, lm_ready):
            if not fine:
                sys.exit(status)
        changes = {} if self.seconds is None else {"duration": self.seconds}
        result = example(dit_handler, llm_handler, str(self.out), self.recording, **changes)
        if not result.success:
            print(f"Error: {result.error}")
        return result.success


@contextmanager
def miniature_stage(out: Path) -> Iterator[Stage]:
    """The miniature in the official layout, below a temporary folder."""
    from tools.miniature import miniature
    from tools.miniature.embedded import RECORDING

    with tempfile.TemporaryDirectory(prefix="acestep15-examples-") as folder:
        models = Path(folder) / "models"
        # of random weights: the published codes of example 10 are beyond the trained codebook
        made = miniature(models)
        project = Path(folder) / "project"
        checkpoints = project / "checkpoints"
        checkpoints.parent.mkdir()
        made.release.rename(checkpoints)
        made.base.rename(checkpoints / made.base.name)
        yield Stage(
            project=project,
            model=made.turbo.name,
            base=made.base.name,
            lm=made.lm.name,
            device="auto",
            out=out,
            recording=str(RECORDING),
            seconds=SHORT,
        )


def write_recording(path: Path, seconds: float) -> Path:
    """A plucked arpeggio over a bass note, for examples that start from a song."""
    moments = torch.arange(int(seconds * RATE)) / RATE
    pitches = torch.tensor([220.0, 261.6, 329.6, 440.0])
    pitch = pitches[(moments * 2).long() % len(pitches)]
    pluck = torch.sin(2 * torch.pi * pitch * moments) * torch.exp(-4 * (moments % 0.5))
    sound = 0.4 * pluck + 0.2 * torch.sin(2 * torch.pi * 110.0 * moments)
    # not 16 bits, in which FFmpeg looks for DTS: longer than all the rest of reading
    save(path, torch.stack([sound, 0.8 * sound]), FileFormat(Encoding.WAV_24))
    return path


def play(examples: Sequence[tuple[str, Example, bool]], arguments: Sequence[str]) -> int:
    """Run them all, say how it went; the exit code."""
    given = _parser().parse_args(arguments)
    out = Path(given.out)
    if given.project is None:
        with miniature_stage(out) as stage:
            return _all(stage, examples)
    recording = given.recording
    if recording is None:
        out.mkdir(parents=True, exist_ok=True)
        recording = str(write_recording(out / "original_pop_song.mp3", SHORT))
    stage = Stage(
        project=Path(given.project),
        model=given.model,
        base=given.base,
        lm=given.lm,
        device=given.device,
        out=out,
        recording=recording,
        seconds=given.seconds,
    )
    return _all(stage, examples)


def _all(stage: Stage, examples: Sequence[tuple[str, Example, bool]]) -> int:
    failed = []
    for name, example, wants_base in examples:
        began = time.monotonic()
        print(f"--- {name}")
        if not stage.run(example, wants_base):
            failed.append(name)
        print(f"    {time.monotonic() - began:.1f} s")
    print(f"{len(examples) - len(failed)} of {len(examples)} examples ran; {stage.out}")
    return 1 if failed else 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description="Runs the examples; without a project, on a toy.")
    parser.add_argument("--project", help="folder with your checkpoints (default: the miniature)")
    parser.add_argument("--model", default="acestep-v15-turbo")
    parser.add_argument("--base", default="acestep-v15-base")
    parser.add_argument("--lm", default="acestep-5Hz-lm-0.6B")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", default="output/examples")
    parser.add_argument("--recording", help="a song to make a cover of")
    parser.add_argument("--seconds", type=float, help="length of every song")
    return parser
