"""`measure RECORDING`."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ace_core.audio.files import Encoding, FileFormat, read_audio, save
from ace_core.cli.main import main
from ace_core.cli.output import Exit
from ace_core.measure.measurement import measure
from ace_core.measure.picture import measured_picture
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


def test_a_picture_is_written_and_a_second_one_takes_its_place(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    place = tmp_path / "measured.png"
    for _ in range(2):
        assert main(["measure", str(recording), "--picture", str(place), "--json"]) == Exit.DONE
        assert json.loads(capsys.readouterr().out)["picture"] == str(place)
    drawn = np.asarray(Image.open(place))
    waveform, rate = read_audio(recording)
    expected = measured_picture(waveform[0], rate, measure(waveform[0], rate))
    assert np.array_equal(drawn, (expected * 255).round().to(torch.uint8).numpy())
    assert [path.name for path in tmp_path.iterdir()] == ["measured.png"]


def test_a_picture_of_another_format_is_refused_before_anything_is_read(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    file = tmp_path / "words.wav"
    file.write_text("no sound")
    assert main(["measure", str(file), "--picture", "measured.jpg"]) == Exit.USAGE
    assert "must be a file's name that ends with .png" in capsys.readouterr().err


def test_a_stem_of_the_vocals_tells_when_somebody_sings(
    recording: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    stem = torch.zeros(2, 20 * RATE)
    stem[:, 5 * RATE : 8 * RATE] = 0.1
    save(tmp_path / "vocals.wav", stem, FileFormat(Encoding.WAV_FLOAT), rate=RATE)
    save(tmp_path / "short.wav", stem[:, : 10 * RATE], FileFormat(Encoding.WAV_FLOAT), rate=RATE)
    words = ["measure", str(recording), "--vocals"]
    assert main([*words, str(tmp_path / "vocals.wav"), "--json"]) == Exit.DONE
    ((start, end),) = json.loads(capsys.readouterr().out)["vocals"]
    assert (start, end) == (pytest.approx(5.0, abs=0.1), pytest.approx(8.0, abs=0.1))
    assert main([*words, str(tmp_path / "vocals.wav")]) == Exit.DONE
    assert "vocals: 3." in capsys.readouterr().out
    assert main([*words, str(tmp_path / "short.wav")]) == Exit.FAILED
    assert "Give the vocals of the same recording" in capsys.readouterr().err
    assert main([*words, str(tmp_path / "nothing.wav")]) == Exit.USAGE
