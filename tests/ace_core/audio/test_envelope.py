import math

import pytest
import torch

from ace_core.audio.envelope import (
    Band,
    EnvelopeFollower,
    check_mask_size,
    envelope,
    frame_count,
    frame_masks,
)
from ace_core.audio.loudness import loudness
from ace_core.errors import InvalidAudioError, InvalidRequestError

RATE = 48_000


def tone(hertz: float, seconds: float, rate: int = RATE) -> torch.Tensor:
    return torch.sin(2 * math.pi * hertz * torch.arange(round(rate * seconds)) / rate)[None]


def click(moment: float, seconds: float, rate: int = RATE) -> torch.Tensor:
    sound = torch.zeros(2, round(rate * seconds))
    sound[:, round(rate * moment)] = 1.0
    return sound


@pytest.mark.parametrize(
    ("samples", "rate", "fps", "frames"),
    [
        (48_000, RATE, 24.0, 24),
        (48_001, RATE, 24.0, 25),
        (1, RATE, 24.0, 1),
        (10 * 44_100, 44_100, 1.1, 11),  # as floating-point numbers it would be a bit above 11
        (1001 * 1600, RATE, 29.97002997002997, 1000),
        (100 * RATE, RATE, 29.97, 2997),
        (600 * RATE, RATE, 23.976, 14_386),
    ],
)
def test_the_frames_cover_the_sound_exactly(samples: int, rate: int, fps: float, frames: int):
    assert frame_count(samples, rate, fps) == frames
    if samples < 20 * RATE:
        assert len(envelope(torch.ones(1, samples), rate, fps)) == frames


@pytest.mark.parametrize(
    ("fps", "rate"),
    [(1.0, 48_000), (24.0, 44_100), (29.97, 48_000), (60.0, 8_000), (120.0, 48_000)],
)
def test_a_click_lights_the_frame_that_is_shown_then(fps: float, rate: int):
    for moment in (0.3, 12.77):
        levels = envelope(click(moment, 14.0, rate), rate, fps)
        frame = int(moment * fps)
        assert levels[frame] == 1
        lit = levels.nonzero().flatten()
        assert lit.min() >= frame - 1
        assert lit.max() <= frame + 1


@pytest.mark.parametrize("fps", [12.0, 24.0, 29.97])
def test_every_moment_counts_once(fps: float):
    """The power that neighbouring frames hear of a click adds up to the same wherever it is."""
    hop = RATE / fps
    alone = click(1.0, 10.0)
    powers = []
    for part in (0.5, 0.6, 0.75, 0.9, 1.0):  # of frame 96 of another, louder click's middle
        both = alone * 2
        both[:, round((96 + part) * hop)] = 1.0
        levels = envelope(both, RATE, fps)
        powers.append(float(levels[94:99].square().sum()))
    assert max(powers) == pytest.approx(min(powers), rel=0.01)


def test_a_steady_tone_is_steady_and_half_of_it_is_half():
    loud = tone(997, 3.0)
    levels = envelope(torch.cat([loud, loud / 2], dim=1), RATE, 25.0)
    torch.testing.assert_close(levels[1:74], torch.ones(73), atol=0.005, rtol=0)
    torch.testing.assert_close(levels[76:149], torch.full((73,), 0.5), atol=0.005, rtol=0)


def test_it_does_not_matter_how_loud_the_whole_is_nor_on_which_side():
    sound = torch.cat([tone(300, 1.0), tone(300, 1.0) / 3], dim=1)
    one_side = torch.cat([sound, torch.zeros_like(sound)])
    levels = envelope(sound, RATE, 24.0)
    torch.testing.assert_close(envelope(sound / 50, RATE, 24.0), levels)
    torch.testing.assert_close(envelope(one_side, RATE, 24.0), levels)


@pytest.mark.parametrize("hertz", [40, 100, 5_000])
def test_tones_differ_as_much_as_their_loudness_does(hertz: float):
    one, other = tone(997, 4.0), tone(hertz, 4.0)
    levels = envelope(torch.cat([one, other], dim=1), RATE, 12.0)
    decibels = 20 * math.log10(float(levels[60:90].mean() / levels[10:40].mean()))
    parts = loudness(other, RATE), loudness(one, RATE)
    assert parts[0] is not None and parts[1] is not None
    assert decibels == pytest.approx(parts[0] - parts[1], abs=0.1)


def test_a_band_hears_its_own_tones():
    parts = {Band.BASS: 80, Band.MIDS: 1_000, Band.TREBLE: 9_000}
    sound = torch.cat([tone(hertz, 1.0) for hertz in parts.values()], dim=1)
    for place, band in enumerate(parts):
        seconds = envelope(sound, RATE, 24.0, band).reshape(3, 24)[:, 2:-2]  # without the cuts
        assert seconds[place].min() > 0.9
        assert seconds[[n for n in range(3) if n != place]].max() < 0.02


def test_silence_is_all_zeros():
    assert torch.equal(envelope(torch.zeros(2, RATE), RATE, 24.0), torch.zeros(24))
    assert torch.equal(envelope(torch.full((1, RATE), 1e-8), RATE, 24.0), torch.zeros(24))
    follow = EnvelopeFollower(attack=0.1, release=0.1, floor=0.1)
    assert torch.equal(envelope(torch.zeros(1, 10), RATE, 24.0, Band.BASS, follow), torch.zeros(1))


def test_a_band_with_next_to_nothing_in_it_is_silent_instead_of_blown_up():
    low = tone(60, 2.0) * torch.hann_window(2 * RATE)
    assert not envelope(low, RATE, 24.0, Band.TREBLE).any()
    whisper = low + tone(9_000, 2.0) * 0.01
    assert envelope(whisper, RATE, 24.0, Band.TREBLE).max() == 1


def test_attack_and_release_are_the_time_constants_of_rise_and_fall():
    sound = torch.cat([tone(500, 4.0), torch.zeros(1, 4 * RATE)], dim=1)
    levels = envelope(sound, RATE, 20.0, follow=EnvelopeFollower(attack=0.3, release=0.5))
    missing = 1 - levels[2:40]
    kept = torch.full((37,), math.exp(-1 / (20 * 0.3)))
    torch.testing.assert_close(missing[1:] / missing[:-1], kept, atol=0.02, rtol=0)
    falling = levels[82:150]
    kept = torch.full((67,), math.exp(-1 / (20 * 0.5)))
    torch.testing.assert_close(falling[1:] / falling[:-1], kept)


def test_a_smoothed_envelope_still_reaches_one():
    levels = envelope(click(1.0, 3.0), RATE, 24.0, follow=EnvelopeFollower(attack=0.5, release=0.5))
    assert levels.max() == 1


def test_the_floor_takes_the_quiet_away_and_stretches_the_rest():
    sound = tone(400, 2.0) * torch.linspace(0, 1, 2 * RATE)
    plain, cut = (envelope(sound, RATE, 24.0, follow=EnvelopeFollower(floor=f)) for f in (0.0, 0.4))
    torch.testing.assert_close(cut, ((plain - 0.4) / 0.6).clamp(min=0))
    assert (cut == 0).sum() > 15


def test_a_mask_has_a_level_in_all_pixels_of_its_frame():
    mask = frame_masks(torch.tensor([0.0, 0.25, 1.0]), 4, 2)
    assert mask.shape == (3, 2, 4)
    assert torch.equal(mask.amin(dim=(1, 2)), torch.tensor([0.0, 0.25, 1.0]))
    assert torch.equal(mask.amax(dim=(1, 2)), mask.amin(dim=(1, 2)))
    mask[0] = 1  # a frame's numbers are its own


def test_a_mask_that_fills_the_memory_is_refused():
    frames = frame_count(600 * RATE, RATE, 60.0)
    with pytest.raises(InvalidRequestError, match=r"36000 frames of 1024 x 1024 takes 151\.0 GB"):
        check_mask_size(frames, 1024, 1024)
    with pytest.raises(InvalidRequestError, match="Make width and height smaller"):
        frame_masks(torch.zeros(frames), 1024, 1024)
    check_mask_size(frames, 64, 64)


@pytest.mark.parametrize("fps", [0.0, 0.5, 120.5, -24.0, math.nan, math.inf])
def test_no_film_runs_that_fast_or_slow(fps: float):
    with pytest.raises(InvalidRequestError, match="Set fps to 1 up to 120"):
        envelope(tone(500, 1.0), RATE, fps)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"attack": -0.1}, "The attack is -0.1 seconds"),
        ({"release": math.inf}, "The release is inf seconds"),
        ({"floor": 1.0}, "The floor is 1, but"),
        ({"floor": -0.5}, "The floor is -0.5, but"),
        ({"floor": math.nan}, "The floor is nan, but"),
    ],
)
def test_impossible_settings_are_refused(settings: dict[str, float], message: str):
    with pytest.raises(InvalidRequestError, match=message):
        EnvelopeFollower(**settings)


def test_what_is_no_audio_is_refused():
    with pytest.raises(InvalidAudioError, match="empty"):
        envelope(torch.zeros(2, 0), RATE, 24.0)
    with pytest.raises(InvalidAudioError, match="NaN or infinite"):
        envelope(torch.tensor([[0.0, math.nan]]), RATE, 24.0)
