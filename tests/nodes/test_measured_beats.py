"""What other nodes do with measured beats, on a piece whose beats are known."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch

from tests.nodes.lm_prompts import complaint, node, shown
from tests.nodes.task_prompts import Nodes, loaders, task
from tools.hosts.host import Outcome
from tools.hosts.pack import Pack
from tools.measure.pieces import RATE, SECONDS, Piece, pieces, render

PIECE: Piece = pieces()[0]
BARS, BEATS = PIECE.downbeats(), PIECE.beats()
FRAMES = round(SECONDS * 25)


@pytest.fixture(scope="module", autouse=True)
def piece(pack: Pack, models: Path, base_directory: Path) -> None:
    folder = base_directory / "input"
    soundfile.write(folder / "piece.wav", render(PIECE).T.numpy(), RATE, "FLOAT")
    tone = 0.1 * torch.sin(torch.arange(20 * RATE) * 0.05)
    soundfile.write(folder / "tone.wav", tone.numpy(), RATE)
    soundfile.write(folder / "short.wav", tone[: 6 * RATE].numpy(), RATE)


def loaded(file: str) -> dict[str, Any]:
    return {"class_type": "LoadAudio", "inputs": {"audio": file}}


def measured(file: str = "piece.wav") -> Nodes:
    return {"heard": loaded(file), "found": node("Measure", audio=["heard", 0])}


def ran(pack: Pack, nodes: Nodes, name: str) -> Outcome:
    return pack.host.run({**nodes, "out": shown(name, 0)})


def marked(pack: Pack, by: dict[str, Any], file: str = "piece.wav") -> Outcome:
    mask = node("RegionMask", source=["sound", 0], beats=["found", 3], **by)
    return ran(pack, {**measured(file), "sound": loaded("piece.wav"), "where": mask}, "where")


@pytest.mark.parametrize(
    ("by", "start", "end"),
    [
        ({"by": "bars", "by.first_bar": 2, "by.bars": 2}, BARS[1], BARS[3]),
        ({"by": "beats", "by.first_beat": 3, "by.beats": 5}, BEATS[2], BEATS[7]),
    ],
)
def test_a_region_mask_counts_measured_bars_and_beats(
    pack: Pack, by: dict[str, Any], start: float, end: float
) -> None:
    """The tempo of the widget, which is wrong here, is not used."""
    outcome = marked(pack, {**by, "by.bpm": 200, "by.time_signature": "3/4"})
    assert outcome.complete, outcome.why()
    frames = outcome.values["where"][0][0, 0].nonzero().flatten()
    assert frames[0].item() == pytest.approx(start * 25, abs=1.5)
    assert frames[-1].item() + 1 == pytest.approx(end * 25, abs=1.5)


def test_a_region_in_seconds_is_where_it_was(pack: Pack) -> None:
    outcome = marked(pack, {"by": "seconds", "by.start": 1.0, "by.end": 2.0})
    frames = outcome.values["where"][0][0, 0].nonzero().flatten()
    assert (frames[0].item(), frames[-1].item()) == (25, 49)


def test_beats_of_another_recording_or_none_are_refused(pack: Pack) -> None:
    by = {"by": "bars", "by.first_bar": 1, "by.bars": 1, "by.bpm": 120, "by.time_signature": "4/4"}
    assert "a recording of 6.00 seconds, but" in complaint(marked(pack, by, "short.wav"))
    assert "No bars were measured" in complaint(marked(pack, by, "tone.wav"))
    assert "whole bars. Choose some" in complaint(marked(pack, {**by, "by.first_bar": 99}))


def test_repaint_is_the_same_with_beats_or_without(pack: Pack) -> None:
    nodes = {**loaders(), **task("Repaint", "piece.wav"), **measured()}
    given = nodes["task"]["inputs"]
    beaten = {**nodes, "task": {**nodes["task"], "inputs": {**given, "beats": ["found", 3]}}}
    masks = []
    for each in (nodes, beaten):
        outcome = ran(pack, each, "task")
        assert outcome.complete, outcome.why()
        masks.append(outcome.values["task"][2]["samples"])
    assert torch.equal(*masks)
    beaten["heard"] = loaded("short.wav")
    assert "Measure this recording" in complaint(ran(pack, beaten, "task"))


def sliced(pack: Pack, file: str = "piece.wav", codes: str = "", **by: Any) -> Outcome:
    words = codes or ", ".join(str(n) for n in range(100))  # 20 seconds
    given = {"by.first_bar": 2, "by.bars": 2, "by.bpm": 200, "by.time_signature": "3/4", **by}
    cut = node("SliceCodes", codes=["codes", 0], by="bars", beats=["found", 3], **given)
    return ran(
        pack, {**measured(file), "codes": node("TextToCodes", text=words), "cut": cut}, "cut"
    )


def test_codes_are_cut_by_measured_bars(pack: Pack) -> None:
    (piece,) = sliced(pack).values["cut"][0]
    assert piece.values[0] == round(BARS[1] * 5)
    assert len(piece.values) == round((BARS[3] - BARS[1]) * 5)


def test_one_recordings_bars_serve_all_variations(pack: Pack) -> None:
    row = ", ".join(str(n) for n in range(100))
    first, second = sliced(pack, codes=f"{row}\n\n{row}").values["cut"][0]
    assert first == second


def test_codes_of_another_recording_are_refused(pack: Pack) -> None:
    refused = complaint(sliced(pack, codes="1, 2, 3", **{"by.first_bar": 1}))
    assert "Measure the recording that was encoded" in refused


def pulsed(pack: Pack, pulse: str, file: str = "piece.wav", **changes: Any) -> Outcome:
    given = {"fps": 25.0, "band": "whole", "attack": 0.0, "release": 0.0, "floor": 0.0}
    size = {"width": 2, "height": 2}
    levels = node(
        "Envelope", audio=["sound", 0], beats=["found", 3], pulse=pulse, **given | size | changes
    )
    return ran(pack, {**measured(file), "sound": loaded(file), "levels": levels}, "levels")


@pytest.mark.parametrize(("pulse", "times"), [("each beat", BEATS), ("each bar", BARS)])
def test_pulses_are_at_the_beats_or_bars(pack: Pack, pulse: str, times: list[float]) -> None:
    outcome = pulsed(pack, pulse)
    assert outcome.complete, outcome.why()
    mask, levels, frames, _ = outcome.values["levels"]
    assert (frames, mask.shape) == (FRAMES, (FRAMES, 2, 2))
    assert torch.equal(mask[:, 0, 0], torch.tensor(levels))
    places = mask[:, 0, 0].nonzero().flatten()[: len(times)]
    expected = torch.tensor([round(time * 25) for time in times])
    assert (places - expected).abs().max() <= 1


def test_a_switch_is_on_for_every_other_bar(pack: Pack) -> None:
    _, levels, _, _ = pulsed(pack, "switch each bar", release=1.0, floor=0.5).values["levels"]
    assert set(levels) == {0.0, 1.0}
    middles = [(a + b) / 2 for a, b in pairwise(BARS)]
    assert [levels[round(time * 25)] for time in middles] == [
        float(place % 2 == 0) for place in range(len(middles))
    ]


def test_pulses_without_beats_are_refused(pack: Pack) -> None:
    assert "No beats were measured" in complaint(pulsed(pack, "each beat", "tone.wav"))
    assert "No bars were measured" in complaint(pulsed(pack, "switch each bar", "tone.wav"))
