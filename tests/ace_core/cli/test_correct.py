"""`correct RECORDING`."""

import json
from pathlib import Path

import pytest
import torch

from ace_core.audio import tags
from ace_core.audio.files import Encoding, FileFormat, read_audio, save
from ace_core.cli.main import main
from ace_core.cli.output import Exit
from ace_core.measure.measurement import measure
from tools.measure.pieces import RATE, pieces, render

PIECE = pieces()[0]


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recordings") / "piece.wav"
    save(path, render(PIECE), FileFormat(Encoding.WAV_FLOAT), rate=RATE)
    return path


def test_a_recording_is_brought_to_tempo_and_key(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "corrected.wav"
    asked = round(PIECE.bpm * 1.03)
    given = [str(recording), "--bpm", str(asked), "--key", "C# major", "-o", str(out), "--json"]
    assert main(["correct", *given]) == Exit.DONE
    said = json.loads(capsys.readouterr().out)
    assert said["path"] == str(out)
    assert said["tempo"] == pytest.approx(100 * (asked / PIECE.bpm - 1), abs=0.2)
    assert said["semitones"] == 1
    assert len(said["report"]) == 2
    made, rate = read_audio(out)
    found = measure(made[0], rate)
    assert rate == RATE
    assert found.tempo is not None and found.key is not None
    assert found.tempo.bpm == pytest.approx(asked, rel=2e-3)
    assert found.key.name == "C# major"


def test_a_change_by_hand_needs_no_measurement(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "noise.wav", tmp_path / "slower.flac"
    save(path, torch.rand(1, 9_400) * 0.1, FileFormat(Encoding.WAV_16), rate=RATE)
    assert main(["correct", str(path), "--tempo", "-6", "-o", str(out)]) == Exit.DONE
    assert "6.00 % slower" in capsys.readouterr().out
    assert read_audio(out)[0].shape[-1] == 10_000


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ([], "Give --bpm, --key or both"),
        (["--bpm", "120", "--tempo", "2"], "Give --bpm, --key or both"),
        (["--tempo", "7"], "at most 6 %"),
        (["--semitones", "-3"], "at most 2 semitones"),
        (["--bpm", "1000"], "Ask for 30 to 300"),
        (["--key", "H"], "is not a key"),
    ],
)
def test_a_wrong_command_line_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], given: list[str], why: str
) -> None:
    out = str(tmp_path / "out.wav")
    assert main(["correct", str(tmp_path / "none.wav"), "-o", out, *given]) == Exit.USAGE
    assert why in capsys.readouterr().err


def test_tags_are_not_kept(tmp_path: Path) -> None:
    tagged, out = tmp_path / "tagged.flac", tmp_path / "out.flac"
    save(tagged, render(PIECE)[:, :RATE], FileFormat(), {"title": "Rain"}, RATE)
    assert tags.read(tagged)["title"] == "Rain"
    assert main(["correct", str(tagged), "--tempo", "1", "-o", str(out)]) == Exit.DONE
    assert "title" not in tags.read(out)


def test_a_place_that_cannot_be_written_is_refused(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = recording.read_bytes()
    for out, why in ((recording, "the recording itself"), (tmp_path / "a.xyz", "ends with .flac")):
        assert main(["correct", str(recording), "--tempo", "1", "-o", str(out)]) == Exit.USAGE
        assert why in capsys.readouterr().err
    assert recording.read_bytes() == before


def test_too_large_a_change_is_refused_and_nothing_is_written(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "out.wav"
    asked = str(round(PIECE.bpm * 1.2))
    assert main(["correct", str(recording), "--bpm", asked, "-o", str(out)]) == Exit.FAILED
    assert "at most 6 % is made" in capsys.readouterr().err
    assert not out.exists()
