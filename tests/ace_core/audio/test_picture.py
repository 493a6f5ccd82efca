import math
import re

import pytest
import torch

from ace_core.audio.picture import PAPER, picture
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
