"""What was measured, drawn on the waveform."""

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ace_core.audio.picture import Layout
from ace_core.measure.levels import silences
from ace_core.measure.measurement import Measurement, measure
from ace_core.measure.meter import Meter
from ace_core.measure.picture import CLIPPED, DOWNBEAT, VOCALS, measured_picture
from ace_core.measure.tempo import Tempo
from tools.measure.pieces import RATE, pieces, render

LAYOUT = Layout(1024, 512)


@pytest.fixture(scope="module")
def piece() -> tuple[Tensor, Measurement]:
    audio = render(pieces()[0])[:, : 12 * RATE]
    audio[:, 8 * RATE : 10 * RATE] = 0
    audio[:, 5 * RATE : 5 * RATE + 400] = 1.0
    return audio, measure(audio, RATE)


def column(seconds: float, total: float) -> int:
    return LAYOUT.left + round(seconds / total * LAYOUT.columns)


def near(image: Tensor, colour: tuple[int, int, int], row: int) -> list[int]:
    """Columns of a row that have nearly this colour."""
    distance = (image[row] * 255 - torch.tensor(colour)).abs().amax(dim=1)
    return (distance < 40).nonzero().flatten().tolist()


def test_downbeats_stand_at_their_times_over_the_whole_waveform(piece):
    audio, found = piece
    image = measured_picture(audio, RATE, found)
    top, height = LAYOUT.wave
    for row in (top + height // 4, top + 3 * height // 4):
        seen = near(image, DOWNBEAT, row)
        expected = [column(each, found.seconds) for each in found.meter.downbeats]
        assert seen == pytest.approx(expected, abs=1)


def test_beats_have_marks_at_both_edges(piece):
    audio, found = piece
    plain = measured_picture(audio, RATE, replace(found, tempo=None, meter=None))
    image = measured_picture(audio, RATE, replace(found, meter=None))
    top, height = LAYOUT.wave
    for row in (top + 8, top + height - 4):
        changed = (image[row] != plain[row]).any(dim=1).nonzero().flatten().tolist()
        expected = [column(each, found.seconds) for each in found.tempo.beats]
        assert changed == pytest.approx(expected, abs=1)
    middle = top + height // 2
    assert torch.equal(image[middle], plain[middle])


def test_lines_that_cannot_be_told_apart_are_left_out(piece):
    audio, found = piece
    many = tuple(n * found.seconds / 600 for n in range(600))  # 1.6 pixels apart
    crowded = replace(found, tempo=Tempo(600, many, 1.0, None), meter=Meter(4, many, 1.0))
    none = replace(found, tempo=Tempo(600, (), 1.0, None), meter=Meter(4, (), 1.0))
    assert torch.equal(
        measured_picture(audio, RATE, crowded)[20:], measured_picture(audio, RATE, none)[20:]
    )


def test_silence_clipping_and_vocals_are_marked_where_they_are(piece):
    audio, found = piece
    before, (start, end) = silences(audio, RATE)
    assert before == pytest.approx((0.0, 0.3), abs=0.051)
    assert (start, end) == pytest.approx((8.0, 10.0), abs=0.051)
    image = measured_picture(audio, RATE, replace(found, tempo=None, meter=None), ((2.0, 4.0),))
    top, height = LAYOUT.wave
    row = image[top + height // 8]
    bluer = (row[:, 2] - row[:, 0] > 0.15).nonzero().flatten()
    blue = bluer[(bluer > column(7.5, 12)) & (bluer < column(10.5, 12))]
    assert blue.min() == pytest.approx(column(start, 12), abs=1)
    assert blue.max() == pytest.approx(column(end, 12), abs=1)
    assert column(5.0, 12) in near(image, CLIPPED, top + 1)
    green = near(image, VOCALS, top + height - 2)
    assert (green[0], green[-1]) == pytest.approx((column(2.0, 12), column(4.0, 12)), abs=1)


def test_the_picture_of_silence_has_nothing_but_silence():
    audio = torch.zeros(2, 4 * RATE)
    assert measured_picture(audio, RATE, measure(audio, RATE)).shape == (512, 1024, 3)
