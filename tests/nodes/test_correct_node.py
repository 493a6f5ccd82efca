"""Correct on a piece whose truth is known."""

from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch

from tests.nodes.lm_prompts import complaint, node, shown, song
from tests.nodes.task_prompts import Nodes
from tools.hosts.host import Outcome
from tools.hosts.pack import Pack
from tools.measure.pieces import RATE, Piece, pieces, render

PIECE: Piece = pieces()[0]  # in C major
ASKED = round(PIECE.bpm * 1.03)


@pytest.fixture(scope="module")
def piece(base_directory: Path) -> str:
    sound = render(PIECE)
    soundfile.write(base_directory / "input" / "in_time.wav", sound.T.numpy(), RATE, "FLOAT")
    return "in_time.wav"


def correct(file: str, **changes: Any) -> Nodes:
    given = {"bpm": 0.0, "key": "unchanged", "tempo": 0.0, "semitones": 0.0, **changes}
    return {
        "sound": {"class_type": "LoadAudio", "inputs": {"audio": file}},
        "made": node("Correct", audio=["sound", 0], **given),
        "found": node("Measure", audio=["made", 0]),
        "out": shown("found", 0),
        "said": shown("made", 1),
    }


def values(outcome: Outcome) -> tuple[dict[str, Any], str]:
    assert outcome.complete, outcome.why()
    return outcome.values["made"]


def test_as_it_is_it_changes_nothing(pack: Pack, piece: str) -> None:
    outcome = pack.host.run(correct(piece))
    audio, report = values(outcome)
    assert torch.equal(audio["waveform"], outcome.values["sound"][0]["waveform"])
    assert (audio["sample_rate"], report) == (RATE, "unchanged")
    assert outcome.ui["made"]["ace_step_text"] == [report]  # which stays on the node


def test_audio_gets_the_tempo_and_key_that_are_given(pack: Pack, piece: str) -> None:
    outcome = pack.host.run(correct(piece, bpm=float(ASKED), key="Db major"))
    _, report = values(outcome)
    assert outcome.values["found"][4] == pytest.approx(ASKED, rel=2e-3)
    assert outcome.values["found"][6] == "C# major"
    tempo, key = report.splitlines()
    assert tempo.endswith("% faster")
    assert key == "key: C major measured, Db major asked; 1 semitone up"


def test_a_song_says_what_it_shall_have(pack: Pack, piece: str) -> None:
    nodes = correct(piece, song=["song", 0]) | {"song": song(bpm=ASKED)}
    outcome = pack.host.run(nodes)
    assert outcome.values["found"][4] == pytest.approx(ASKED, rel=2e-3)
    open_song = correct(piece, song=["song", 0]) | {"song": song()}
    assert values(pack.host.run(open_song))[1] == "unchanged"


def test_a_change_by_hand_needs_no_measurement(pack: Pack, piece: str) -> None:
    audio, report = values(pack.host.run(correct(piece, tempo=-5.0, semitones=2.0)))
    assert audio["waveform"].shape == (1, 2, round(20 * RATE / 0.95))
    assert report == "5.00 % slower, 2 semitones up"


def test_every_item_of_a_batch_is_reported(pack: Pack) -> None:
    both = torch.stack([render(PIECE)] * 2)
    given = {"bpm": float(ASKED), "key": "unchanged", "tempo": 0.0, "semitones": 0.0}
    run = pack.nodes["AceStep15Correct"].execute
    made, report = run({"waveform": both, "sample_rate": RATE}, **given).args
    assert torch.equal(made["waveform"][0], made["waveform"][1])
    assert [line[:7] for line in report.splitlines()] == ["item 1:", "item 2:"]


def test_what_cannot_be_done_is_refused_with_what_is_allowed(pack: Pack, piece: str) -> None:
    far = complaint(pack.host.run(correct(piece, bpm=PIECE.bpm * 1.25)))
    assert "at most 6 % is made" in far
    both = complaint(pack.host.run(correct(piece, bpm=float(ASKED), tempo=2.0)))
    assert "are both given" in both
    assert pack.host.run(correct(piece, tempo=7.0)).status == "refused"
