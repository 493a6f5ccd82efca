"""Every code block of the documents runs, and the tables of the command line are the code's."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ace_core.cli.main import COMMANDS
from ace_core.cli.output import Exit
from tools.docs import code_blocks
from tools.docs.code_blocks import Block, BlockError, all_blocks, blocks, run
from tools.hosts.checkout import ROOT
from tools.miniature import Miniature

COMMAND_LINE = "docs/command_line.md"
BLOCKS = list(all_blocks())
MADE = {  # what a block leaves behind
    "from ace_core.inference import AceStepHandler, LLMHandler": {"output/*.flac": 2},
    "python -m ace_core inspect models/diffusion_models/acestep_v1.5_turbo.safetensors": {
        "piano.flac": 1,
        "piano_128.flac": 1,
        "piano.png": 1,
        "takes/*.flac": 4,
        "output/*.flac": 3,  # the two of the first block, and the repaint
        "vocals.wav": 1,
        "song.json": 1,
    },
    "python -m ace_core batch prompts.jsonl --out songs --models models": {
        "songs/rain.flac": 1,
        "songs/piano-cello.flac": 1,
        "songs/0002*.mp3": 2,
        "songs/manifest.jsonl": 1,
    },
}


@pytest.fixture(scope="module")
def work(checkpoints: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("blocks") / "ComfyUI"
    code_blocks.lay_out(folder, checkpoints)
    yield folder


@pytest.mark.parametrize("block", BLOCKS, ids=[f"{b.page}: {b.title[:60]}" for b in BLOCKS])
def test_a_block_runs(block: Block, work: Path, monkeypatch: pytest.MonkeyPatch):
    if block.title in code_blocks.NOT_RUN:
        return
    monkeypatch.chdir(work)
    run(block)
    for pattern, count in MADE.get(block.title, {}).items():
        found = list(work.glob(pattern))
        assert len(found) == count, pattern
        assert all(path.stat().st_size for path in found)


def test_no_listed_block_and_no_substitution_is_of_a_text_that_is_gone():
    titles = {block.title for block in BLOCKS}
    assert set(code_blocks.NOT_RUN) | set(MADE) <= titles
    texts = "".join(block.text for block in BLOCKS)
    assert [written for written, _ in code_blocks.SUBSTITUTED if written not in texts] == []


def test_every_fence_is_a_block():
    for page in code_blocks.PAGES:
        fences = re.findall(r"^\s*(?:```|~~~)", (ROOT / page).read_text("utf-8"), re.MULTILINE)
        fenced = [block for block in blocks(page) if block.language != "inline"]
        assert len(fences) == 2 * len(fenced), page


def test_every_page_with_a_fence_is_read():
    fenced = {
        path.relative_to(ROOT).as_posix()
        for path in [*ROOT.glob("docs/*.md"), ROOT / "README.md"]
        if re.search(r"^\s*(?:```|~~~)", path.read_text("utf-8"), re.MULTILINE)
    }
    assert fenced <= set(code_blocks.PAGES)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("toml", "a = 1\n"),
        ("sh", "python -m ace_core generate --no-such-option\n"),
        ("sh", "python -m ace_core inspect none.safetensors\n"),
        ("sh", "rm everything\n"),
    ],
)
def test_a_block_that_does_not_run_is_a_failure(language: str, text: str):
    with pytest.raises(BlockError):
        run(Block("page", language, text))


def test_the_command_runs_every_block_in_a_folder_of_its_own(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    here, ran = Path.cwd(), []
    monkeypatch.setattr(code_blocks, "run", lambda block: ran.append((block, Path.cwd())))
    assert code_blocks.main([]) == 0
    assert [block for block, _ in ran] == BLOCKS
    assert {folder.name for _, folder in ran} == {"ComfyUI"}
    assert Path.cwd() == here
    assert not any(folder.exists() for _, folder in ran)
    printed = capsys.readouterr().out
    assert all(f"--- {block.page}: {block.title}\n" in printed for block in BLOCKS)


def test_blocks_are_found_in_a_page():
    page = "Type\n`python -m ace_core measure\na.flac`, as `python -m ace_core COMMAND`.\n"
    found = blocks("page", f"{page}```json\n{{}}\n```\n")
    assert [(block.language, block.text) for block in found] == [
        ("json", "{}\n"),
        ("inline", "python -m ace_core measure a.flac\n"),
    ]


def rows(head: str) -> list[list[str]]:
    """The cells of the table whose first line is `head`."""
    page = (ROOT / COMMAND_LINE).read_text(encoding="utf-8")
    table = page.split(head, 1)[1].split("\n\n", 1)[0].strip().splitlines()[1:]
    return [[cell.strip() for cell in row.strip("|").split("|", 1)] for row in table]


def test_the_table_of_commands_holds_each_command_once():
    named = [
        code.split()[0]
        for cell, _ in rows("| command | what it does |")
        for code in re.findall(r"`([^`]+)`", cell)
    ]
    assert sorted(named) == sorted(COMMANDS)


def test_the_table_of_exit_codes_is_the_enumeration():
    assert [int(cell) for cell, _ in rows("| exit code | meaning |")] == sorted(Exit)


def test_every_option_on_the_page_is_of_some_command(capsys: pytest.CaptureFixture[str]):
    offered: set[str] = set()
    for name in COMMANDS:
        with pytest.raises(SystemExit, match="0"):
            code_blocks.command_line([name, "--help"])
        offered |= set(re.findall(r"--[a-z][a-z-]+", capsys.readouterr().out))
    page = (ROOT / COMMAND_LINE).read_text(encoding="utf-8")
    named = set(re.findall(r"--[a-z][a-z-]+", page))
    assert named - offered == {"--use-random-seed"}  # the page says that there is none
