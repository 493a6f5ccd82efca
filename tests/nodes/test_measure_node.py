"""Measure and Cut Bars on a piece whose truth is known."""

import json
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch

from tests.nodes.lm_prompts import complaint, node, shown, song
from tests.nodes.task_prompts import Nodes
from tools.hosts.host import Outcome
from tools.hosts.pack import Pack
from tools.measure.pieces import RATE, SECONDS, Piece, pieces, render
from tools.workflows.prompts import read_prompt

PIECE: Piece = pieces()[0]
OUTPUTS = (
    "report comparison image beats bpm confidence key time_signature downbeat loudness true_peak"
).split()


@pytest.fixture(scope="module")
def piece(base_directory: Path) -> str:
    sound = render(PIECE)
    soundfile.write(base_directory / "input" / "piece.wav", sound.T.numpy(), RATE, "FLOAT")
    quiet = torch.zeros(2, 3 * RATE)
    soundfile.write(base_directory / "input" / "quiet.wav", quiet.T.numpy(), RATE)
    return "piece.wav"


def loaded(file: str) -> dict[str, Any]:
    return {"class_type": "LoadAudio", "inputs": {"audio": file}}


def measured(file: str, **inputs: Any) -> Nodes:
    found = node("Measure", audio=["sound", 0], **inputs)
    return {"sound": loaded(file), "found": found, "out": shown("found", 0)}


def values(outcome: Outcome) -> dict[str, Any]:
    assert outcome.complete, outcome.why()
    return dict(zip(OUTPUTS, outcome.values["found"], strict=True))


def test_a_recording_becomes_values_text_picture_and_beats(pack: Pack, piece: str) -> None:
    outcome = pack.host.run(measured(piece))
    found = values(outcome)
    assert found["bpm"] == pytest.approx(PIECE.bpm, rel=2e-3)
    assert (found["key"], found["time_signature"]) == (PIECE.key, f"{PIECE.meter}/4")
    assert found["downbeat"] == pytest.approx(PIECE.downbeats()[0], abs=0.05)
    assert 0.3 < found["confidence"] <= 1
    assert -30 < found["loudness"] < -5
    assert found["true_peak"] == pytest.approx(-3.1, abs=0.3)  # 0.7
    assert found["comparison"] == ""
    assert f"{PIECE.bpm:.1f} BPM, or" in found["report"]
    assert f"{PIECE.key}, or" in found["report"]
    assert found["image"].shape == (1, 512, 1024, 3)
    (grid,) = found["beats"]
    assert grid.seconds == SECONDS
    (sent,) = (json.loads(each) for each in outcome.ui["found"]["ace_step_beats"])
    assert sent["bars"] == pytest.approx(grid.bar_lines, abs=1e-4)
    assert sent["beats"] == pytest.approx(grid.beat_lines, abs=1e-4)


def test_a_song_is_set_beside_what_was_measured(pack: Pack, piece: str) -> None:
    other = "A minor" if PIECE.key == "C major" else "C major"
    words = {"bpm": round(PIECE.bpm), "key": other, "time_signature": "3/4"}
    nodes = {**measured(piece, song=["song", 0]), "song": song(**words)}
    tempo, key, meter, _ = values(pack.host.run(nodes))["comparison"].splitlines()
    assert tempo.endswith("(agrees)")
    assert key.startswith(f"key: song {other}, measured {PIECE.key} (")
    assert meter == f"meter: song 3/4, measured {PIECE.meter}/4 (differs)"


def test_silence_is_measured_and_said(pack: Pack, piece: str) -> None:
    found = values(pack.host.run(measured("quiet.wav")))
    assert [found[name] for name in ("bpm", "key", "time_signature", "loudness")] == [
        0.0,
        "",
        "",
        -70.0,
    ]
    assert "no steady pulse" in found["report"]


def test_every_item_of_a_batch_is_measured(pack: Pack) -> None:
    """In the report, the picture and the beats; the single values are those of one of them."""
    both = torch.stack([render(PIECE), torch.zeros(2, int(SECONDS * RATE))])
    run = pack.nodes["AceStep15Measure"].execute
    audio = {"waveform": both, "sample_rate": RATE}
    first, second = run(audio), run(audio, item=2)
    report, _, image, grids = first.args[:4]
    assert report.startswith("item 1\n")
    assert "\n\nitem 2\n" in report
    assert image.shape[0] == len(grids) == 2
    assert (len(grids[0].beats) > 4, grids[1].beats) == (True, ())
    assert (first.args[4] > 0, second.args[4]) == (True, 0.0)
    with pytest.raises(Exception, match="Item 3 was asked for, but the audio has 2"):
        run(audio, item=3)


def test_vocals_show_when_somebody_sings(pack: Pack, piece: str, base_directory: Path) -> None:
    vocals = torch.zeros(2, int(SECONDS * RATE))
    vocals[:, 5 * RATE : 8 * RATE] = 0.3
    soundfile.write(base_directory / "input" / "vocals.wav", vocals.T.numpy(), RATE)
    nodes = {**measured(piece, vocals=["vocals", 0]), "vocals": loaded("vocals.wav")}
    assert (
        "vocals: 3.0 s, 15% of the recording: 5.0–8.0 s" in values(pack.host.run(nodes))["report"]
    )
    nodes["vocals"] = loaded("quiet.wav")
    refused = complaint(pack.host.run(nodes))
    assert "The vocals are 1 of 3.00 seconds, but the audio is 1 of 20.00 seconds" in refused


def cut(file: str = "piece.wav", source: str = "sound", **changes: Any) -> Nodes:
    given = {"unit": "bars", "first": 2, "count": 2, "crossfade": 0.0, "repeats": 1, **changes}
    loop = node("CutBars", audio=[source, 0], beats=["found", 3], **given)
    nodes = measured(file)
    return {**nodes, "other": loaded("quiet.wav"), "loop": loop, "out": shown("loop", 0)}


def test_bars_are_cut_where_they_were_played(pack: Pack, piece: str) -> None:
    outcome = pack.host.run(cut())
    assert outcome.complete, outcome.why()
    loop, start, seconds = outcome.values["loop"]
    bars = PIECE.downbeats()
    assert start == pytest.approx(bars[1], abs=0.02)
    assert seconds == pytest.approx(bars[3] - bars[1], abs=0.02)
    whole = outcome.values["sound"][0]["waveform"]
    first, end = round(start * RATE), round((start + seconds) * RATE)
    assert torch.equal(loop["waveform"], whole[..., first:end])
    assert loop["sample_rate"] == RATE


def test_a_loop_is_repeated(pack: Pack, piece: str) -> None:
    outcome = pack.host.run(cut(unit="beats", count=1, repeats=3, crossfade=0.01))
    loop, _, seconds = outcome.values["loop"]
    once = loop["waveform"].shape[-1] // 3
    assert once == pytest.approx(seconds * RATE, abs=1)
    assert torch.equal(loop["waveform"][..., :once], loop["waveform"][..., -once:])


def test_bars_that_are_not_there_are_refused(pack: Pack, piece: str) -> None:
    assert "whole bars. Choose some of 1 to" in complaint(pack.host.run(cut(first=90)))
    assert "No bars were measured" in complaint(pack.host.run(cut("quiet.wav")))
    refused = complaint(pack.host.run(cut(source="other")))
    assert "beats are those of a recording of 20.00 seconds, but this one is 3.00" in refused


def test_the_workflow_cuts_a_loop_and_corrects_nothing_by_default(
    pack: Pack, piece: str, base_directory: Path
) -> None:
    prompt = read_prompt("measure_recording")
    (loader,) = (each for each in prompt.values() if each["class_type"] == "AceStep15LoadRecording")
    loader["inputs"]["audio"] = piece
    outcome = pack.host.run(prompt, extra_pnginfo={"workflow": {}})
    assert outcome.complete, outcome.why()
    saved = [found["audio"][0] for found in outcome.ui.values() if "audio" in found]
    seconds = {}
    for each in saved:
        path = base_directory / each["type"] / each["subfolder"] / each["filename"]
        seconds[each["filename"].split("_")[0]] = soundfile.info(path).duration
    bar = PIECE.beats_per_bar * PIECE.beat
    assert seconds["loop"] == pytest.approx(8 * bar, abs=0.1)
    assert seconds["corrected"] == pytest.approx(SECONDS)
