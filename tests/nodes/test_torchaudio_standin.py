"""The torchaudio of a host without one: it must resample as the real one does."""

import importlib.util
import math
from types import ModuleType

import pytest
import torch

from tools.hosts.checkout import STANDINS


@pytest.fixture(scope="module")
def functional() -> ModuleType:
    path = STANDINS["torchaudio"] / "torchaudio" / "functional.py"
    spec = importlib.util.spec_from_file_location("standin_torchaudio_functional", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def sine(rate: int, samples: int, hertz: float = 1000.0) -> torch.Tensor:
    time = torch.arange(samples, dtype=torch.float64) / rate
    return torch.sin(2 * math.pi * hertz * time)


@pytest.mark.parametrize(("old", "new"), [(44_100, 48_000), (48_000, 16_000), (22_050, 48_000)])
def test_a_tone_stays_that_tone_at_another_rate(functional: ModuleType, old: int, new: int) -> None:
    resampled = functional.resample(sine(old, old // 10), old, new)
    expected = sine(new, len(resampled))
    inside = slice(new // 100, -new // 100)  # the ends see the silence outside
    assert (resampled - expected)[inside].abs().max() < 2e-3


def test_the_length_is_rounded_up_and_channels_are_kept(functional: ModuleType) -> None:
    assert functional.resample(torch.zeros(2, 3, 1001), 44_100, 48_000).shape == (2, 3, 1090)


def test_the_same_rate_changes_nothing(functional: ModuleType) -> None:
    waveform = sine(48_000, 100)
    assert functional.resample(waveform, 48_000, 48_000) is waveform
