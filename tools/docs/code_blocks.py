"""Every code block of the documents, run on the miniature: `python -m tools.docs.code_blocks`.

Blocks run in one folder, in the order of their pages, as a reader would run them: files that an
earlier block makes are there for a later one. Models lie in it as in a ComfyUI, under the published
names (`models`), and as an official project (`project`).
"""

import json
import os
import re
import shlex
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ace_core.audio.files import Encoding, FileFormat, save
from ace_core.cli.main import main as command_line
from api_examples.stage import SHORT, write_recording
from tools.hosts.checkout import ROOT
from tools.measure.pieces import RATE, Piece, render
from tools.miniature import Miniature, miniature

PAGES: Final = ("docs/api.md", "docs/command_line.md", "README.md")
NOT_RUN: Final[Mapping[str, str]] = {}  # first line of a block, or an inline command: the reason
SUBSTITUTED: Final = (  # in the documents, in place of it here
    ("/path/to/project", "project"),
    ("/path/to/checkpoints", "project/checkpoints"),
    ("/path/to/output", "output"),
    ('device="cuda"', 'device="cpu"'),
    ("duration=30", "duration=10"),
    ("--duration 60", "--duration 10"),
    ('"calm piano" --lora', '"calm piano" --duration 10 --lora'),
    ('"calm piano" -o', '"calm piano" --duration 10 -o'),
    ("--lyrics-file song.txt", "--lyrics-file song.txt --duration 10"),
    ("--repainting-start 20 --repainting-end 30", "--repainting-start 2 --repainting-end 3"),
    ("correct piano.flac", "correct beat.wav"),  # the miniature's piano has no beat
    ('"duration": 60', '"duration": 10'),
    ('"caption": "fast drums"', '"caption": "fast drums", "duration": 10'),
)
PROMPTS: Final = "prompts.jsonl"
COMMAND: Final = "python -m ace_core "
FENCED: Final = re.compile(r"^```(\w*)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
INLINE: Final = re.compile(rf"`({re.escape(COMMAND)}[^`]+)`")
PUBLISHED: Final = {  # the single files, as ComfyUI's users download them
    "split_turbo": "diffusion_models/acestep_v1.5_turbo.safetensors",
    "split_base": "diffusion_models/acestep_v1.5_base.safetensors",
    "split_text_encoder": "text_encoders/qwen_0.6b_ace15.safetensors",
    "split_lm": "text_encoders/qwen_1.7b_ace15.safetensors",
    "split_vae": "vae/ace_1.5_vae.safetensors",
    "lora": "loras/my_style.safetensors",
}
BEAT: Final = Piece(bpm=126.0, tonic=4, mode="minor", meter=4, drums=True, seed=1)
TOKENIZER: Final = "comfy/text_encoders/qwen25_tokenizer/tokenizer.json"


class BlockError(Exception):
    """A block does not do what its page says."""


@dataclass(frozen=True)
class Block:
    """`text` of a fence in `language`, or of a command within a sentence (`inline`)."""

    page: str
    language: str
    text: str

    @property
    def title(self) -> str:
        return self.text.strip().split("\n")[0]


def blocks(page: str, text: str | None = None) -> list[Block]:
    """The blocks of `page`, those in fences first; `text` stands for the file's."""
    content = (ROOT / page).read_text(encoding="utf-8") if text is None else text
    fenced = [Block(page, *found.groups()) for found in FENCED.finditer(content)]
    prose = FENCED.sub("", content)
    named = [" ".join(found.split()) for found in INLINE.findall(prose)]
    return fenced + [Block(page, "inline", f"{each}\n") for each in named if _whole(each)]


def _whole(command: str) -> bool:
    """Whether it can be typed as it is: `python -m ace_core COMMAND` names a form."""
    return not re.search(r"\b[A-Z]{3,}\b", command)


def shortened(text: str) -> str:
    for written, here in SUBSTITUTED:
        text = text.replace(written, here)
    return text


def lay_out(folder: Path, made: Miniature) -> None:
    """Models under the published names, and the files that the documents take for granted."""
    for part, name in PUBLISHED.items():
        _link(folder / "models" / name, getattr(made, part))
    voice = folder / "models" / "loras" / "voices" / "anna"
    _link(voice / "adapter_model.safetensors", made.lora)
    (voice / "adapter_config.json").write_text('{"r": 4, "lora_alpha": 4}', encoding="utf-8")
    _link(folder / TOKENIZER, made.lm / "tokenizer.json")
    checkpoints = folder / "project" / "checkpoints"
    for path in [*made.release.iterdir(), made.base]:
        _link(checkpoints / path.name, path)
    _link(checkpoints / "acestep-5Hz-lm-0.6B", made.lm)
    (folder / "song.txt").write_text("[Verse]\nRain upon the roof\n", encoding="utf-8")
    write_recording(folder / "mix.wav", SHORT)
    save(folder / "beat.wav", render(BEAT), FileFormat(Encoding.WAV_24), rate=RATE)


def _link(place: Path, target: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


def run(block: Block) -> None:
    """Run one block in the current folder.

    Raises:
        BlockError: its language is unknown here, or it fails.
    """
    runner = RUNNERS.get(block.language)
    if runner is None:
        raise BlockError(
            f"{block.page}: a block in {block.language or 'no language'} cannot be run. Add a "
            f"runner, or the block's first line to NOT_RUN with the reason: {block.title}"
        )
    runner(shortened(block.text))


def _run_python(text: str) -> None:
    names: dict[str, Any] = {"__name__": "block"}
    exec(compile(text, "block", "exec"), names)
    result = names.get("result")
    if result is not None and not result.success:
        raise BlockError(f"{result.error}\n{text}")


def _run_shell(text: str) -> None:
    for line in text.replace("\\\n", " ").splitlines():
        if line.strip():
            _run_line(line)


def _run_line(line: str) -> None:
    if not line.startswith(COMMAND):
        raise BlockError(f"only {COMMAND.strip()} is run here: {line}")
    words = shlex.split(line.removeprefix(COMMAND), comments=True)
    with ExitStack() as stack:
        if ">" in words:
            file = stack.enter_context(Path(words[-1]).open("w", encoding="utf-8"))
            stack.enter_context(redirect_stdout(file))
            words = words[: words.index(">")]
        try:
            code = command_line(words)
        except SystemExit as error:  # argparse's
            code = error.code
    if code != 0:
        raise BlockError(f"exit code {code}: {line}")


def _run_json(text: str) -> None:
    """JSON lines are the prompts of the next block."""
    for line in text.splitlines():
        json.loads(line)
    Path(PROMPTS).write_text(text, encoding="utf-8")


RUNNERS: Final[Mapping[str, Callable[[str], None]]] = {
    "python": _run_python,
    "sh": _run_shell,
    "inline": _run_shell,
    "json": _run_json,
}


def all_blocks() -> Iterator[Block]:
    for page in PAGES:
        yield from blocks(page)


@contextmanager
def stage(folder: Path) -> Iterator[Path]:
    """A working folder below `folder`, with models; it is the current one meanwhile."""
    work = folder / "ComfyUI"
    lay_out(work, miniature(folder / "miniature"))
    before = Path.cwd()
    os.chdir(work)
    try:
        yield work
    finally:
        os.chdir(before)


def main(arguments: Sequence[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="acestep15-blocks-") as folder, stage(Path(folder)):
        for block in all_blocks():
            if block.title in NOT_RUN:
                print(f"--- {block.page}: {block.title}: not run, {NOT_RUN[block.title]}")
                continue
            print(f"--- {block.page}: {block.title}", flush=True)
            run(block)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
