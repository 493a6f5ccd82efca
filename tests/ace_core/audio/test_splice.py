"""The splice: the source's samples outside the region, bit for bit."""

import pytest
import torch

from ace_core.audio.splice import splice
from ace_core.task import Splice
from tests.ace_core.sampling.goldens import load
from tests.rounding import RECORDED, difference

RATE = 48_000


def test_the_splice_equals_the_official_one():
    golden = load("repaint")
    for item, (start, end) in enumerate(golden["spans"].tolist()):
        one = slice(item, item + 1)
        spliced = splice(golden["audio"][one], Splice(golden["source"][one], [(start, end)], 0.004))
        assert difference(spliced, golden["spliced"][one]) < RECORDED


def test_samples_outside_the_ramps_are_the_source_bit_for_bit():
    generator = torch.Generator().manual_seed(1)
    audio = torch.randn(2, 2, RATE, generator=generator)
    source = torch.randn(2, 2, RATE, generator=generator)
    spliced = splice(audio, Splice(source, [(0.25, 0.5)], 0.05))
    start, end, fade = RATE // 4, RATE // 2, RATE // 20
    assert torch.equal(spliced[..., : start - fade], source[..., : start - fade])
    assert torch.equal(spliced[..., end + fade :], source[..., end + fade :])
    assert torch.equal(spliced[..., start:end], audio[..., start:end])
    assert not torch.equal(spliced[..., end : end + fade], source[..., end : end + fade])


@pytest.mark.parametrize("frames", [100, 300])
def test_a_span_over_everything_is_the_new_audio(frames: int):
    audio, source = torch.randn(1, 2, frames), torch.randn(1, 2, 200)
    assert torch.equal(splice(audio, Splice(source, [(0.0, 1.0)], 0.01)), audio)


def test_what_lies_beyond_the_source_is_kept():
    audio, source = torch.randn(1, 2, 300), torch.randn(1, 2, 200)
    spliced = splice(audio, Splice(source, [(0.0, 0.001)], 0.0))
    assert torch.equal(spliced[..., 200:], audio[..., 200:])
    assert torch.equal(spliced[..., 48:200], source[..., 48:])
    assert spliced.shape == audio.shape


def test_two_spans_each_keep_their_sound_and_the_source_holds_between_and_around_them():
    audio, source = torch.full((1, 2, 48_000), 2.0), torch.full((1, 2, 48_000), -3.0)
    spliced = splice(audio, Splice(source, [(0.1, 0.2), (0.6, 0.8)], 0.01))
    for start, end in ((0.1, 0.2), (0.6, 0.8)):
        assert (spliced[..., int(start * 48_000) : int(end * 48_000)] == 2).all()
    assert (spliced[..., 10_080:28_320] == -3).all()  # between the ramps
    assert (spliced[..., :4_320] == -3).all()


def test_where_two_ramps_meet_the_larger_holds():
    audio, source = torch.ones(1, 2, 48_000), torch.zeros(1, 2, 48_000)
    spliced = splice(audio, Splice(source, [(0.1, 0.2), (0.22, 0.3)], 0.05))
    between = spliced[0, 0, 9_600:10_560]  # a gap of 960 samples, ramps of 2400
    assert between.min() > 0.79
    assert between.max() < 1


def test_the_samples_of_the_source_that_fill_no_frame_end_the_song():
    audio, source = torch.ones(2, 2, 3_840), torch.randn(1, 2, 5_000)
    spliced = splice(audio, Splice(source, [(0.0, 0.05)], 0.0))
    assert torch.equal(spliced[..., 3_840:], source[..., 3_840:].expand(2, -1, -1))
    to_the_end = splice(audio, Splice(source, [(0.05, 0.08)], 0.0))
    assert to_the_end.shape == audio.shape
    cut = splice(audio[..., :1_920], Splice(source, [(0.0, 0.01)], 0.0))
    assert cut.shape[-1] == 1_920, "more than a frame is missing: the latent was cut"


def test_what_was_decoded_gets_the_level_of_its_source():
    """The source was normalised since: beside the region the two differ in level alone."""
    audio = torch.randn(2, 2, 48_000, generator=torch.Generator().manual_seed(1)).clamp(-1, 1) / 4
    source = audio * torch.tensor([0.5, 3.0])[:, None, None]
    changed = audio.clone()
    changed[..., 12_000:24_000] = audio[..., 24_000:36_000]
    found = splice(changed, Splice(source, [(0.25, 0.5)], 0.0, at_its_level=True))
    torch.testing.assert_close(found[..., 12_000:24_000], source[..., 24_000:36_000])
    assert torch.equal(found[..., 24_000:], source[..., 24_000:])


def test_another_recording_does_not_set_the_level(caplog):
    audio, source = torch.rand(2, 1, 2, 48_000, generator=torch.Generator().manual_seed(1)) - 0.5
    found = splice(audio, Splice(source, [(0.25, 0.5)], 0.0, at_its_level=True))
    assert torch.equal(found[..., 12_000:24_000], audio[..., 12_000:24_000])
    assert "does not sound like its source" in caplog.text
