import math

import pytest
import torch

from ace_core.audio.spectrum import frequencies, levels, spectrogram

RATE = 48_000


def sine(hertz: float, seconds: float = 1.0) -> torch.Tensor:
    times = torch.arange(int(RATE * seconds), dtype=torch.float64) / RATE
    return torch.sin(2 * math.pi * hertz * times).float()[None]


def test_a_column_s_peak_is_its_loudest_sample_and_its_rms_their_root_mean_square():
    audio = torch.tensor([[0.1, -0.8, 0.3, 0.2, 0.0, 0.5], [0.0, 0.0, -0.6, 0.2, 1.0, -1.0]])
    peak, rms = levels(audio, width=3)
    torch.testing.assert_close(peak, torch.tensor([[0.8, 0.3, 0.5], [0.0, 0.6, 1.0]]))
    assert rms[1, 2] == pytest.approx(1.0)
    assert rms[0, 0] == pytest.approx(math.sqrt((0.01 + 0.64) / 2))


def test_a_part_left_over_is_a_column_of_its_own():
    audio = torch.zeros(1, 7)
    audio[0, 6] = 0.9
    peak, rms = levels(audio, width=4)
    assert peak.tolist() == [[0.0, 0.0, 0.0, pytest.approx(0.9)]]
    assert rms[0, 3] == pytest.approx(0.9)


@pytest.mark.parametrize("hertz", [100.0, 440.0, 3_000.0, 12_000.0])
def test_a_sine_is_brightest_at_its_own_frequency(hertz: float):
    heat = spectrogram(sine(hertz), RATE, width=50, height=200)
    row = int(heat[:, 25].argmax())
    found = float(frequencies(RATE, 200)[row])
    assert abs(found - hertz) <= max(12.0, hertz * 0.04)
    assert heat.max() == 0


def test_a_click_is_where_it_happens():
    audio = torch.zeros(1, 4 * RATE)
    audio[0, 3 * RATE] = 1.0
    heat = spectrogram(audio, RATE, width=400, height=60)
    assert abs(int(heat[10].argmax()) - 300) <= 1
    assert heat[10, :290].max() < -60


@pytest.mark.parametrize("samples", [1, 100, 5000])
def test_short_sounds_fill_the_width(samples: int):
    peak, _ = levels(torch.ones(2, samples), width=640)
    heat = spectrogram(torch.ones(2, samples), RATE, width=640, height=50)
    assert peak.shape == (2, 640)
    assert heat.shape == (50, 640)
    assert (peak == 1).all()
    assert torch.isfinite(heat).all()
