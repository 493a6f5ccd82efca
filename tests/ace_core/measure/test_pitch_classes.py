"""What counts as a pitch class: the fundamentals of a bass, in the recording's tuning."""

import math

import pytest
import torch

from ace_core.measure.pitch_classes import pitch_classes

RATE = 44_100


def tone(midi: float, rate: int = RATE, harmonics: tuple[int, ...] = (1,)) -> torch.Tensor:
    """Two seconds, [1, N]."""
    t = torch.arange(2 * rate, dtype=torch.float64) / rate
    hertz = 440 * 2 ** ((midi - 69) / 12)
    return sum(torch.sin(2 * math.pi * hertz * n * t) / n for n in harmonics)[None].float() * 0.1


@pytest.mark.parametrize("midi", range(24, 97, 5))
@pytest.mark.parametrize("rate", [8_000, 44_100, 96_000])
def test_a_sine_is_its_class(midi: int, rate: int) -> None:
    whole, bass = pitch_classes(tone(midi, rate), rate, tuning=0.0)
    assert int(whole.argmax()) == midi % 12
    if midi < 50:
        assert int(bass.argmax()) == midi % 12


def test_the_lowest_bass_is_its_fundamental_and_not_its_fifth() -> None:
    whole, bass = pitch_classes(tone(24, harmonics=(1, 3, 5, 7, 9)), RATE, tuning=0.0)
    for classes in (whole, bass):
        assert classes[0] > 2 * classes[7]


def test_a_tuning_moves_the_classes() -> None:
    high = pitch_classes(tone(60.4), RATE, tuning=0.4)[0]
    assert int(high.argmax()) == 0
    assert high[0] > 3 * high[1]


def test_quiet_moments_count_as_much_and_silence_nothing() -> None:
    loud, quiet = tone(60), tone(67) * 1e-3
    whole, _ = pitch_classes(torch.cat([loud, quiet], dim=1), RATE, tuning=0.0)
    assert float(whole[7] / whole[0]) == pytest.approx(1.0, abs=0.15)
    whole, bass = pitch_classes(torch.zeros(2, RATE), RATE, tuning=0.0)
    assert not whole.any() and not bass.any()
