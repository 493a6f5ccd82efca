"""Tempo and key changed by small amounts: pitch, times, lengths, attacks and stereo image."""

import math

import pytest
import torch
from torch import Tensor

from ace_core.audio.attacks import attacks
from ace_core.audio.tempo_key import Change, changed, played
from ace_core.errors import InvalidAudioError, InvalidRequestError
from tools.measure.stretching import sine_to_rest

RATE = 44_100
SPEEDS = (-6.0, -1.5, 2.5, 6.0)
HALF_WINDOW = 256  # samples of the short spectrum by which attacks are located, at 44.1 kHz


def sine(hertz: float, seconds: float = 3.0, phase: float = 0.0) -> Tensor:
    t = torch.arange(int(seconds * RATE), dtype=torch.float64) / RATE
    return 0.5 * torch.sin(2 * math.pi * hertz * t + phase).float()[None, None]


def clicks(places: Tensor, seconds: float = 3.0) -> Tensor:
    audio = torch.zeros(1, 1, int(seconds * RATE))
    audio[..., places] = 0.9
    return audio


@pytest.mark.parametrize("tempo", SPEEDS)
@pytest.mark.parametrize("hertz", [110.0, 440.0, 3_000.0])
def test_a_sine_keeps_its_frequency_at_another_tempo(hertz: float, tempo: float) -> None:
    """All else is 70 dB below a sine of exactly the frequency. Over T = 2.25 s a frequency that is
    off by d leaves (pi d T)^2 / 3 of the power, so d is below 8e-5 Hz: 0.0013 cents of 110 Hz."""
    made = changed(sine(hertz), RATE, Change(tempo))
    assert sine_to_rest(made[0, 0], hertz) > 70


@pytest.mark.parametrize("semitones", [-2.0, -1.0, 0.5, 1.0, 2.0])
def test_a_shift_multiplies_frequencies_by_exactly_the_ratio(semitones: float) -> None:
    for hertz in (110.0, 440.0, 3_000.0):
        made = changed(sine(hertz), RATE, Change(semitones=semitones))
        assert sine_to_rest(made[0, 0], hertz * 2 ** (semitones / 12)) > 70


def test_tempo_and_key_are_changed_together() -> None:
    made = changed(sine(440.0), RATE, Change(6.0, 2.0))
    assert made.shape[-1] == round(3 * RATE / 1.06)
    assert sine_to_rest(made[0, 0], 440 * 2 ** (2 / 12)) > 70


@pytest.mark.parametrize("tempo", SPEEDS)
def test_the_level_stays(tempo: float) -> None:
    made = changed(sine(1_000.0), RATE, Change(tempo, -1.0))[0, 0, RATE // 2 : -RATE // 2]
    assert float(made.square().mean()) == pytest.approx(0.125, rel=1e-3)


@pytest.mark.parametrize("samples", [1, 2, 63, 1_000, 44_100, 100_003])
@pytest.mark.parametrize("change", [Change(-6.0), Change(6.0), Change(0.0, 2.0), Change(3.0, -1.0)])
def test_the_length_is_exact_to_the_sample(samples: int, change: Change) -> None:
    audio = torch.randn(1, 1, samples, generator=torch.Generator().manual_seed(1))
    made = changed(audio, RATE, change)
    assert made.shape == (1, 1, max(1, round(samples / (1 + change.tempo / 100))))
    assert torch.isfinite(made).all()


@pytest.mark.parametrize("tempo", SPEEDS)
def test_clicks_come_at_their_new_times_without_pre_echo(tempo: float) -> None:
    """An attack is located within half a short window, and its own time runs from there on, so it
    comes late by at most that times the change."""
    places = torch.arange(10_000, 3 * RATE - 10_000, 9_001)
    made = changed(clicks(places), RATE, Change(tempo))[0, 0]
    bound = HALF_WINDOW * abs(1 / (1 + tempo / 100) - 1) + 1
    for place in (places / (1 + tempo / 100)).round().long().tolist():
        part = made[place - 2_000 : place + 2_000]
        peak = int(part.abs().argmax())
        assert abs(peak - 2_000) <= bound
        assert float(part[peak].abs()) == pytest.approx(0.9, rel=1e-3)
        assert float(part[: peak - 2].square().sum()) < 1e-9 * float(part[peak].square())


def test_a_click_over_a_chord_is_not_smeared_and_the_chord_goes_on() -> None:
    places = torch.arange(12_000, 3 * RATE - 12_000, 20_011)
    chord = sum(sine(hertz) for hertz in (220.0, 277.18, 329.63)) / 6
    made = changed(clicks(places) + chord, RATE, Change(5.0))[0, 0]
    high = made - torch.nn.functional.avg_pool1d(made[None], 9, 1, 4)[0]  # the clicks
    for place in (places / 1.05).round().long().tolist():
        part = high[place - 2_000 : place + 2_000].square()
        peak = int(part.argmax())
        assert float(part[: peak - 10].sum()) < 0.02 * float(part.sum())
    between = made[places[2] + 4_000 : places[2] + 8_000]
    assert float(between.square().mean().sqrt()) > 0.08


def test_attacks_are_found_and_what_goes_on_has_none() -> None:
    places = torch.arange(5_000, 100_000, 9_001)
    found = attacks(clicks(places)[0] + sine(300.0)[0], RATE, 3_000)
    assert len(found) == len(places)
    assert (found - places).abs().max() <= HALF_WINDOW
    noise = torch.randn(2, 2 * RATE, generator=torch.Generator().manual_seed(1)) * 0.1
    assert len(attacks(noise, RATE, 3_000)[1:]) == 0  # the first is where it begins
    assert len(attacks(torch.zeros(2, RATE), RATE, 3_000)) == 0


def test_channels_keep_their_level_and_phase() -> None:
    """A channel is turned as the others are: half a channel upside down stays just that, up to the
    rounding of two transforms of 4,096 samples and their sums, and a silent channel silent."""
    left = torch.randn(1, 1, RATE, generator=torch.Generator().manual_seed(1)) + clicks(
        torch.tensor([9_000, 30_000]), 1.0
    )
    audio = torch.cat([left, -0.5 * left, torch.zeros_like(left)], dim=1)
    for change in (Change(4.0), Change(-3.0, 1.0)):
        made = changed(audio, RATE, change)[0]
        rounding = 64 * torch.finfo(torch.float32).eps * float(made[0].abs().max())
        assert float((made[1] + 0.5 * made[0]).abs().max()) < rounding
        assert not made[2].any()


def test_the_phase_between_channels_stays() -> None:
    audio = torch.cat([sine(440.0), 0.5 * sine(440.0, phase=math.pi / 3)], dim=1)
    made = changed(audio, RATE, Change(6.0))[0, :, RATE // 2 : -RATE // 2].double()
    t = torch.arange(made.shape[1], dtype=torch.float64) / RATE
    left, right = made.to(torch.cdouble) @ torch.exp(-2j * math.pi * 440 * t)
    assert complex(right / left) == pytest.approx(0.5 * complex(0.5, 3**0.5 / 2), abs=1e-3)


def test_a_sound_in_one_channel_alone_keeps_its_frequency() -> None:
    made = changed(torch.cat([torch.zeros(1, 1, 3 * RATE), sine(440.0)], dim=1), RATE, Change(6.0))
    assert sine_to_rest(made[0, 1], 440.0) > 70
    assert not made[0, 0].any()


def test_silence_stays_silence() -> None:
    assert not changed(torch.zeros(2, 2, RATE), RATE, Change(5.0, 1.0)).any()


def test_without_a_change_the_samples_are_the_same() -> None:
    audio = torch.randn(2, 2, 1_000)
    assert changed(audio, RATE, Change()) is audio


def test_items_of_a_batch_are_changed_as_each_alone() -> None:
    audio = torch.randn(2, 2, 9_000, generator=torch.Generator().manual_seed(1)).double()
    made = changed(audio, RATE, Change(2.0))
    assert made.dtype == torch.float64
    assert torch.equal(made[1:], changed(audio[1:], RATE, Change(2.0)))


@pytest.mark.parametrize("rate", [8_000, 22_050, 48_000, 192_000])
def test_any_rate_is_taken(rate: int) -> None:
    t = torch.arange(2 * rate, dtype=torch.float64) / rate
    audio = torch.sin(2 * math.pi * 1_000 * t).float()[None, None]
    made = changed(audio, rate, Change(5.0, 1.0))[0, 0]
    spectrum = torch.fft.rfft(made * torch.hann_window(len(made))).abs()
    hertz = float(spectrum.argmax()) * rate / len(made)
    assert hertz == pytest.approx(1_000 * 2 ** (1 / 12), abs=rate / len(made))


def test_a_sound_above_the_new_highest_frequency_is_left_out_instead_of_folded() -> None:
    """A sinc in a Hann window stops by 44 dB."""
    made = played(sine(21_000.0)[0], 2 ** (2 / 12), 2 * RATE)[0, RATE // 2 : -RATE // 2]
    assert float(made.abs().max()) < 0.5 * 10 ** (-44 / 20)


@pytest.mark.parametrize(
    ("tempo", "semitones", "why"),
    [
        (6.1, 0.0, r"tempo .* by \+6.1 %: at most 6 %"),
        (-7.0, 0.0, r"by -7 %: at most 6 %"),
        (0.0, 2.5, r"key .* by \+2.5 semitones: at most 2 semitones"),
        (math.nan, 0.0, "at most 6 %"),
        (0.0, math.inf, "at most 2 semitones"),
    ],
)
def test_more_is_refused_with_what_is_allowed(tempo: float, semitones: float, why: str) -> None:
    with pytest.raises(InvalidRequestError, match=why):
        Change(tempo, semitones)


@pytest.mark.parametrize("audio", [torch.zeros(1, 2, 0), torch.full((1, 2, 9), math.nan)])
def test_sound_that_is_none_is_refused(audio: Tensor) -> None:
    for change in (Change(), Change(1.0)):
        with pytest.raises(InvalidAudioError):
            changed(audio, RATE, change)
