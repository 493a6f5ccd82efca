"""The ten published examples, as files, on the miniature."""

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from api_examples.__main__ import NAMES, WANT_BASE
from api_examples.stage import Stage, miniature_stage, play

VARIATIONS = {"text_to_music": 2, "shift_for_turbo": 2, "chosen_seeds": 4}
LENGTHS = {"style_cover": 368_640}  # of the recording; the others are asked for 10 seconds
BRIEF = {"song_from_an_idea": "create_sample", "polished_draft": "format_sample"}


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory):
    with miniature_stage(tmp_path_factory.mktemp("examples")) as made:
        yield made


@pytest.mark.parametrize("name", NAMES)
def test_an_example_runs_to_its_songs(
    stage: Stage, name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    module = import_module(f"api_examples.{name}")
    if name in BRIEF:  # the miniature rambles; with this seed it is brief
        whole = getattr(module, BRIEF[name])
        monkeypatch.setattr(module, BRIEF[name], lambda **given: whole(**given, seed=20))
    made: list[Any] = []

    def watched(*given: Any, **changes: Any) -> Any:
        made.append(module.main(*given, **changes))
        return made[0]

    assert stage.run(watched, name in WANT_BASE), capsys.readouterr().out
    (result,) = made
    if name == "understand_codes":
        assert result.caption
        return
    assert len(result.audios) == VARIATIONS.get(name, len(result.audios)) > 0
    for audio in result.audios:
        assert Path(audio["path"]).stat().st_size > 100_000
        assert audio["tensor"].shape == (2, LENGTHS.get(name, 480_000))


def test_one_example_runs_on_a_project_that_is_named(stage: Stage, tmp_path: Path):
    given = ["--project", str(stage.project), "--model", stage.model, "--lm", stage.lm]
    given += ["--device", "cpu", "--seconds", "10", "--out", str(tmp_path)]
    assert (
        play([("style_cover", import_module("api_examples.style_cover").main, False)], given) == 0
    )
    assert list(tmp_path.rglob("*.flac"))


def test_there_is_a_file_for_each_of_the_ten_examples_and_none_is_forgotten():
    folder = Path(__file__).parents[1] / "api_examples"
    files = {path.stem for path in folder.glob("*.py")} - {"__init__", "__main__", "stage"}
    assert files == set(NAMES)
    assert len(NAMES) == 10
