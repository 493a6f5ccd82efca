"""AUDIO of nodes that are not ours: taken as meant, or refused with what is wrong."""

import numpy as np
import pytest
import torch

from ace_core.audio.audio_dict import unpack_audio
from ace_core.audio.waveform import LONGEST_AUDIO, RATE_RANGE, model_audio
from ace_core.errors import InvalidAudioError

SOUND = torch.linspace(-0.9, 0.9, 480)


def audio(waveform: object, rate: object = 48_000) -> dict[str, object]:
    return {"waveform": waveform, "sample_rate": rate}


@pytest.mark.parametrize(
    "waveform", [SOUND, SOUND[None], SOUND[None, None], SOUND[None, None].double()]
)
def test_one_item_may_lack_its_batch_and_its_channels(waveform):
    given, rate = unpack_audio(audio(waveform))
    assert rate == 48_000
    assert given.dtype is torch.float32
    assert torch.equal(given, SOUND[None, None])


@pytest.mark.parametrize(
    ("dtype", "full", "zero"),
    [
        (torch.int8, 2**7, 0),
        (torch.int16, 2**15, 0),
        (torch.int32, 2**31, 0),
        (torch.uint8, 2**7, 2**7),
    ],
)
def test_whole_numbers_are_scaled_to_full_scale(dtype, full, zero):
    whole = (SOUND.double() * full + zero).round().to(dtype)
    given, _ = unpack_audio(audio(whole))
    assert ((given[0, 0] - SOUND).abs() <= 0.5 / full + 2**-23).all()  # a step, and float32's


@pytest.mark.parametrize("rate", [44_100, 44_100.0, np.int64(44_100), torch.tensor(44_100)])
def test_a_whole_rate_is_read_in_any_type(rate):
    found = unpack_audio(audio(SOUND, rate))[1]
    assert (found, type(found)) == (44_100, int)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (None, "NoneType, not a table"),
        ([], "list, not a table"),
        ({"waveform": SOUND}, "`sample_rate` is None"),
        ({"sample_rate": 48_000}, "`waveform` is a NoneType"),
        (audio(SOUND.tolist()), "`waveform` is a list"),
        (audio(SOUND, 44_100.5), "`sample_rate` is 44100.5"),
        (audio(SOUND, "48000"), "`sample_rate` is '48000'"),
        (audio(SOUND, float("nan")), "`sample_rate` is nan"),
        (audio(SOUND, True), "`sample_rate` is True"),
        (audio(SOUND, 0), "0 Hz is not a sample rate"),
        (audio(SOUND, -48_000), "-48000 Hz is not a sample rate"),
        (audio(SOUND, 999), "999 Hz is not a sample rate: 1000 to 768000"),
        (audio(SOUND, 10**9), "1000000000 Hz"),
        (audio(SOUND.to(torch.complex64)), "complex64"),
        (audio(SOUND.long()), "int64"),
        (audio(SOUND > 0), "bool"),
        (audio(torch.zeros(())), "shape []"),
        (audio(torch.zeros(1, 1, 1, 9)), "shape [1, 1, 1, 9]"),
        (audio(torch.zeros(1, 2, 0)), "empty"),
        (audio(torch.zeros(1, 480, 2)), "480 channels"),
        (audio(SOUND * float("nan")), "480 of the audio's 480 samples are NaN or infinite"),
    ],
)
def test_what_is_no_audio_is_refused_with_what_is_wrong(given, words):
    with pytest.raises(InvalidAudioError) as caught:
        unpack_audio(given)
    assert words in str(caught.value)


def test_a_length_is_checked_before_anything_is_resampled():
    low = RATE_RANGE[0]
    long = torch.zeros(1, 1, 1).expand(1, 1, int(LONGEST_AUDIO * low) + 1)
    with pytest.raises(InvalidAudioError, match="at most 3600 are converted"):
        model_audio(long, low)


def test_audio_of_one_hertz_takes_no_memory():
    with pytest.raises(InvalidAudioError, match="1 Hz is not a sample rate"):
        model_audio(torch.zeros(1, 1, 4_800), 1)  # at 48 kHz: 230 million samples


@pytest.mark.parametrize(
    ("waveform", "kind"),
    [
        (SOUND[None, None].to_sparse(), "a torch.sparse_coo tensor"),
        (SOUND[None].to_sparse(), "a torch.sparse_coo tensor"),
        (torch.zeros(1, 2, 480, device="meta"), "without data"),
        (torch.nested.nested_tensor([SOUND, SOUND[:9]], layout=torch.jagged), "a nested tensor"),
    ],
)
def test_a_tensor_without_samples_in_a_row_is_refused(waveform, kind):
    with pytest.raises(InvalidAudioError, match=kind):
        unpack_audio(audio(waveform))


def test_a_rate_of_four_hundred_digits_is_cut_in_the_message():
    with pytest.raises(InvalidAudioError, match="is not a sample rate") as refused:
        unpack_audio(audio(SOUND, 10**400))
    assert len(str(refused.value)) < 300
