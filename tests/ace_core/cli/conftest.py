"""Commands in this process, with the miniature models and a recording shorter than any song."""

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import soundfile

from ace_core.cli.main import main
from ace_core.constants import SAMPLE_RATE
from tests.short_texts import short_texts
from tools.miniature import Miniature

SECONDS = 0.4


class Answer(NamedTuple):
    """The result of a command: its exit code, the JSON values on stdout, and stderr."""

    code: int
    output: list[Any]
    errors: str


Ask = Callable[..., Answer]


@pytest.fixture(scope="module", autouse=True)
def brief() -> Iterator[None]:
    """The language model writes short texts."""
    with short_texts():
        yield


@pytest.fixture
def ask(capsys: pytest.CaptureFixture[str]) -> Ask:
    """Runs one command line with --json."""

    def run(*words: object) -> Answer:
        capsys.readouterr()
        code = main([str(word) for word in (*words, "--json")])
        output = capsys.readouterr()
        lines = output.out.split("\n")[:-1]  # a text in JSON may hold U+2028
        return Answer(code, [json.loads(line) for line in lines], output.err)

    return run


@pytest.fixture
def models(checkpoints: Miniature) -> tuple[str, str]:
    """The options that choose the miniature release."""
    return ("--models", str(checkpoints.release))


@pytest.fixture
def tone(tmp_path: Path) -> Path:
    path = tmp_path / "tone.wav"
    write_tone(path)
    return path


def write_tone(path: Path, loudness: float = 1.0) -> None:
    sound = loudness * np.sin(np.arange(round(SECONDS * SAMPLE_RATE)) / 20)
    soundfile.write(path, np.stack([sound, sound], axis=1), SAMPLE_RATE)
