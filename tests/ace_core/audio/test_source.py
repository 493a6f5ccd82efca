"""What may be the source of a task."""

import pytest
import torch

from ace_core.audio.source import padded, source_audio, sources_audio
from ace_core.errors import InvalidAudioError

RATE = 48_000


def tone(seconds: float, rate: int = RATE, channels: int = 2) -> torch.Tensor:
    moments = torch.arange(int(seconds * rate)) / rate
    return (0.5 * torch.sin(2 * torch.pi * 440 * moments)).expand(1, channels, -1)


def test_a_mono_source_of_another_rate_becomes_stereo_at_48_khz():
    audio = source_audio(tone(1.0, 44_100, 1), 44_100)
    assert audio.shape == (1, 2, RATE)
    assert torch.equal(audio[:, 0], audio[:, 1])
    torch.testing.assert_close(
        audio[..., 2000:-2000], tone(1.0)[..., 2000:-2000], atol=2e-3, rtol=0
    )


@pytest.mark.parametrize(
    ("waveform", "said"),
    [
        (tone(0.01), "0.01 seconds long"),
        (torch.ones(1, 1, 1).expand(1, 2, 660 * RATE), "660.00 seconds long"),
        (torch.zeros(1, 2, RATE), "silent"),
        (torch.full((1, 2, RATE), float("nan")), "NaN"),
        (tone(1.0).expand(2, -1, -1), "2 items, but one song starts from one"),
        (torch.zeros(1, 2, 0), "empty"),
        (torch.zeros(2, RATE), r"\[batch, channels, samples\]"),
    ],
)
def test_what_cannot_be_a_source_is_refused(waveform, said):
    with pytest.raises(InvalidAudioError, match=said):
        source_audio(waveform, RATE)


def test_the_shortest_source_is_taken_and_the_message_names_what_it_is():
    assert source_audio(tone(0.2), RATE).shape[-1] == 9_600
    with pytest.raises(InvalidAudioError, match="The reference is silent"):
        source_audio(torch.zeros(1, 2, RATE), RATE, "reference")


def test_silence_is_put_around_and_the_sound_is_untouched():
    audio = tone(0.5)
    longer = padded(audio, 100, 50)
    assert longer.shape[-1] == audio.shape[-1] + 150
    assert torch.equal(longer[..., 100:-50], audio)
    assert not longer[..., :100].any()
    assert not longer[..., -50:].any()


def test_up_to_eight_sources_are_taken_as_they_are_alone():
    both = torch.cat([tone(0.5, 44_100), -tone(0.5, 44_100)])
    heard = sources_audio(both, 44_100)
    assert torch.equal(heard[1:], source_audio(both[1:], 44_100))
    with pytest.raises(InvalidAudioError, match="9 items, but at most 8"):
        sources_audio(tone(0.5).expand(9, -1, -1), RATE)
    with pytest.raises(InvalidAudioError, match="source's item 2 of 2 is silent"):
        sources_audio(torch.cat([tone(0.5), torch.zeros(1, 2, 24_000)]), RATE)
