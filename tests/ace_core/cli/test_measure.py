"""`measure RECORDING`."""

import json
from pathlib import Path

import pytest

from ace_core.audio.files import Encoding, FileFormat, save
from ace_core.cli.main import main
from ace_core.cli.output import Exit
from tools.measure.pieces import RATE, pieces, render


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recordings") / "piece.wav"
    save(path, render(pieces()[0]), FileFormat(Encoding.WAV_FLOAT), rate=RATE)
    return path


def test_a_recording_is_measured_in_json(recording: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["measure", str(recording), "--json"]) == Exit.DONE
    found = json.loads(capsys.readouterr().out)
    assert found["path"] == str(recording)
    assert found["tempo"]["bpm"] == pytest.approx(pieces()[0].bpm, rel=2e-3)
    assert found["meter"]["time_signature"] == pieces()[0].meter
    assert found["key"]["name"] == pieces()[0].key
    assert found["seconds"] == pytest.approx(20.0)


def test_people_are_told_the_same(recording: Path, capsys: pytest.CaptureFixture[str]):
    assert main(["measure", str(recording)]) == Exit.DONE
    text = capsys.readouterr().out
    assert f"{pieces()[0].bpm:.1f} BPM" in text
    assert pieces()[0].key in text


def test_a_file_without_sound_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    file = tmp_path / "words.wav"
    file.write_text("no sound")
    assert main(["measure", str(file)]) == Exit.FAILED
    assert "no audio that can be read" in capsys.readouterr().err
