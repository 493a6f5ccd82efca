"""The miniature as a project folder, its models in handlers, and the shortest song there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from torch import Tensor

from ace_core.inference import (
    AceStepHandler,
    GenerationConfig,
    GenerationParams,
    GenerationResult,
    LLMHandler,
    generate_music,
    task_inputs,
)
from ace_core.pipeline import encode_audio
from api_examples.stage import write_recording
from tests.short_texts import short_texts
from tools.miniature import Miniature

if TYPE_CHECKING:
    from .watched import Runs

QUICK = GenerationParams(caption="calm piano", duration=10, inference_steps=1, thinking=False)
ONE = GenerationConfig(batch_size=1, use_random_seed=False, seeds=[7])
Make = Callable[..., GenerationResult]


@pytest.fixture(scope="module", autouse=True)
def brief() -> Iterator[None]:
    """The language model writes short texts."""
    with short_texts():
        yield


@pytest.fixture(scope="session")
def project(checkpoints: Miniature, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder as the official project has it: every model below `checkpoints`."""
    root = tmp_path_factory.mktemp("project")
    folder = root / "checkpoints"
    folder.mkdir()
    for path in [*checkpoints.release.iterdir(), checkpoints.base]:
        (folder / path.name).symlink_to(path)
    return root


@pytest.fixture(scope="session")
def recording(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(write_recording(tmp_path_factory.mktemp("sound") / "song.mp3", 6.0))


@pytest.fixture
def encoded_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """The VAE encodes each sound once, however many songs start from it."""
    encoded: dict[bytes, Tensor] = {}

    def encode(models: Any, audio: Tensor) -> Tensor:
        key = audio.numpy().tobytes()
        if key not in encoded:
            encoded[key] = encode_audio(models, audio)
        return encoded[key].clone()

    monkeypatch.setattr(task_inputs, "encode_audio", encode)


def dit_handler(project: Path, name: str, **settings: Any) -> AceStepHandler:
    handler = AceStepHandler()
    given = {"device": "cpu", "dtype": "fp32", **settings}
    status, ready = handler.initialize_service(str(project), name, **given)
    assert ready, status
    return handler


@pytest.fixture(scope="session")
def turbo(project: Path) -> AceStepHandler:
    return dit_handler(project, "acestep-v15-turbo")


@pytest.fixture(scope="session")
def base(project: Path) -> AceStepHandler:
    return dit_handler(project, "acestep-v15-base")


@pytest.fixture(scope="session")
def lm(project: Path) -> LLMHandler:
    handler = LLMHandler()
    status, ready = handler.initialize(
        str(project / "checkpoints"), "acestep-5Hz-lm-1.7B", "vllm", "cpu"
    )
    assert ready, status
    return handler


@pytest.fixture(scope="session")
def make(turbo: AceStepHandler) -> Make:
    """One quick song by turbo, with changes to its parameters; `handler`, `lm`, `config` and
    whatever `generate_music` takes may be given, too."""

    def made(
        handler: AceStepHandler = turbo,
        lm: LLMHandler | None = None,
        config: GenerationConfig = ONE,
        save_dir: str | None = None,
        progress: Any = None,
        source_repaint_latents: Tensor | None = None,
        **changes: Any,
    ) -> GenerationResult:
        params = replace(QUICK, **changes)
        return generate_music(
            handler, lm, params, config, save_dir, progress, source_repaint_latents
        )

    return made


@pytest.fixture(scope="session")
def runs(turbo: AceStepHandler, base: AceStepHandler, lm: LLMHandler) -> Runs:
    """Makes quick songs and keeps what reached the models."""
    from .watched import Runs

    return Runs(turbo, base, lm)
