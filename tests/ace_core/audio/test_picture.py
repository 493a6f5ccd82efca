"""The picture of a song, and the peaks and spectrogram that it is drawn from."""

import math
import re

import pytest
import torch

from ace_core.audio.picture import PAPER, frequencies, levels, picture, spectrogram
from ace_core.errors import InvalidAudioError, InvalidRequestError

RATE = 48_000
SIZE = {"width": 400, "height": 200}


def chirp(seconds: float = 2.0) -> torch.Tensor:
    times = torch.arange(int(RATE * seconds)) / RATE
    wave = torch.sin(2 * math.pi * (100 + 2000 * times) * times)
    return torch.stack([wave * 0.8, wave * torch.linspace(0, 0.5, len(wave))])


def test_a_picture_has_the_asked_size_and_finite_colours():
    image = picture(chirp(), RATE, **SIZE)
    assert image.shape == (200, 400, 3)
    assert image.dtype is torch.float32
    assert image.min() >= 0
    assert image.max() <= 1


def test_the_same_sound_is_the_same_picture():
    assert torch.equal(picture(chirp(), RATE, **SIZE), picture(chirp(), RATE, **SIZE))


def brightness(image: torch.Tensor, rows: slice, columns: slice) -> float:
    return float(image[rows, columns].mean())


def test_left_rises_and_right_falls_from_the_middle_line():
    audio = chirp()
    audio[1] = 0
    left = picture(audio, RATE, **SIZE)
    right = picture(audio.flip(0), RATE, **SIZE)
    upper, lower, inside = slice(12, 40), slice(48, 70), slice(60, 380)
    assert brightness(left, upper, inside) > 2 * brightness(left, lower, inside)
    assert brightness(right, lower, inside) > 2 * brightness(right, upper, inside)


def test_silence_is_a_dark_picture_with_labels():
    image = picture(torch.zeros(2, RATE), RATE, **SIZE)
    assert torch.isfinite(image).all()
    assert brightness(image, slice(100, 190), slice(60, 380)) < 0.12
    assert (image[:, :26] > 0.4).any()  # the frequencies are written


def test_the_paper_is_sober():
    image = picture(chirp(), RATE, **SIZE)
    torch.testing.assert_close(image[0, 0], torch.tensor(PAPER) / 255)


@pytest.mark.parametrize("samples", [1, 777, 48_000, 480_001])
@pytest.mark.parametrize("channels", [1, 2, 6])
def test_any_length_and_channels_can_be_drawn(samples: int, channels: int):
    image = picture(torch.rand(channels, samples) - 0.5, RATE, **SIZE)
    assert torch.isfinite(image).all()


def test_a_wave_beyond_full_scale_fits():
    assert torch.equal(
        picture(chirp() / 0.8, RATE, **SIZE)[:90], picture(chirp() / 0.8 * 3, RATE, **SIZE)[:90]
    )


@pytest.mark.parametrize(("width", "height"), [(100, 200), (400, 100)])
def test_a_picture_too_small_to_read_is_refused(width: int, height: int):
    with pytest.raises(InvalidRequestError, match=re.escape(f"{width} x {height} pixels")):
        picture(chirp(), RATE, width, height)


def test_nothing_to_draw_is_refused():
    with pytest.raises(InvalidAudioError, match="empty"):
        picture(torch.zeros(2, 0), RATE, **SIZE)


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
