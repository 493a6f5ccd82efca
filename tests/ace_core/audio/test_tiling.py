"""Tiles against one pass, with a VAE of the real strides; and on a device that is out of memory."""

import re
from typing import Any

import pytest
import torch

from ace_core.audio import tiling
from ace_core.constants import LATENT_HOP
from ace_core.errors import InvalidAudioError
from ace_core.memory import NotEnoughMemoryError, OomHandler
from ace_core.models.vae import Oobleck, OobleckConfig
from tests.crowded import crowd
from tests.rounding import assert_same

HOP = 1920
NARROW = OobleckConfig(encoder_channels=2, decoder_channels=2)


@pytest.fixture(scope="module")
def vae() -> Oobleck:
    """In float64, where "equal" leaves no room for a seam."""
    torch.manual_seed(2)
    model = Oobleck(NARROW)
    for parameter in model.parameters():
        parameter.data.normal_(0, 0.4)
    return model.double()


def doubles(*shape: int) -> torch.Tensor:
    return torch.randn(shape, dtype=torch.float64)


def differs(one: torch.Tensor, other: torch.Tensor) -> torch.Tensor:
    """Where [1, C, N] is another by more than rounding: [N]."""
    return ((one - other).abs() > 1e-9).any(1)[0]


class Recorder:
    """The VAE, and the lengths it was asked for."""

    def __init__(self, vae: Oobleck) -> None:
        self.vae = vae
        self.lengths: list[int] = []

    def decode(self, latent: torch.Tensor) -> torch.Tensor:
        self.lengths.append(latent.shape[2])
        return self.vae.decode(latent)

    def encode(self, audio: torch.Tensor):
        self.lengths.append(audio.shape[2])
        return self.vae.encode(audio)


@pytest.mark.parametrize(("frames", "size"), [(33, 8), (50, 7), (61, 30)])
def test_tiled_decode_equals_one_pass(vae: Oobleck, frames: int, size: int):
    latent = doubles(2, 64, frames)
    torch.testing.assert_close(
        tiling.decode(vae, latent, size=size), vae.decode(latent).float(), rtol=1e-6, atol=1e-7
    )


@pytest.mark.parametrize(
    ("samples", "size"), [(33 * HOP, 8), (50 * HOP + 1, 7), (61 * HOP + HOP - 1, 30)]
)
def test_tiled_encode_equals_one_pass(vae: Oobleck, samples: int, size: int):
    audio = doubles(2, 2, samples)
    tiled, whole = tiling.encode(vae, audio, size=size), vae.encode(audio)
    torch.testing.assert_close(tiled.mean, whole.mean.float(), rtol=1e-6, atol=1e-7)
    torch.testing.assert_close(tiled.std, whole.std.float(), rtol=1e-6, atol=1e-7)


def test_the_decoder_reaches_ten_frames_and_the_halo_is_more(vae: Oobleck):
    latent = doubles(1, 64, 41)
    nudged = latent.clone()
    nudged[:, :, 20] += 1
    changed = differs(vae.decode(latent), vae.decode(nudged)).nonzero()  # sample indices
    reach = max(20 - int(changed.min()) / HOP, int(changed.max()) / HOP - 20)
    assert 9 < reach < 10.5 < tiling.DECODE_HALO


def test_the_encoder_reaches_seven_frames_and_the_halo_is_more(vae: Oobleck):
    audio = doubles(1, 2, 41 * HOP)
    nudged = audio.clone()
    nudged[:, :, 20 * HOP : 21 * HOP] += 1
    changed = differs(vae.encode(audio).mean, vae.encode(nudged).mean).nonzero()
    reach = max(20 - int(changed.min()), int(changed.max()) - 20)
    assert reach == 7 < tiling.ENCODE_HALO


def test_what_the_vae_is_given_does_not_grow_with_the_length(vae: Oobleck):
    for frames in (40, 80, 160):
        recorder = Recorder(vae)
        tiling.decode(recorder, doubles(1, 64, frames), size=16)
        assert max(recorder.lengths) <= 16 + 2 * tiling.DECODE_HALO
        recorder = Recorder(vae)
        tiling.encode(recorder, doubles(1, 2, frames * HOP + 9), size=16)
        assert max(recorder.lengths) <= (16 + 2 * tiling.ENCODE_HALO) * HOP + 9


def test_a_short_latent_is_one_pass(vae: Oobleck):
    recorder = Recorder(vae)
    tiling.decode(recorder, doubles(1, 64, 20), size=16)
    assert recorder.lengths == [20]


def test_progress_counts_every_tile_of_every_item(vae: Oobleck):
    steps: list[tuple[int, int]] = []
    tiling.decode(vae, doubles(2, 64, 50), size=20, on_tile=lambda *step: steps.append(step))
    assert steps == [(i, 6) for i in range(1, 7)]
    steps.clear()
    tiling.encode(vae, doubles(2, 2, 50 * HOP), size=20, on_tile=lambda *step: steps.append(step))
    assert steps == [(i, 6) for i in range(1, 7)]


def test_an_item_of_a_batch_is_the_item_alone_bit_for_bit(vae: Oobleck):
    latent = doubles(3, 64, 40)
    whole = tiling.decode(vae, latent, size=16)
    assert torch.equal(whole[1:2], tiling.decode(vae, latent[1:2], size=16))


@pytest.mark.parametrize("samples", [0, 1, HOP - 1])
def test_audio_shorter_than_a_frame_is_refused(vae: Oobleck, samples: int):
    with pytest.raises(InvalidAudioError, match=rf"{samples} samples.*needs 1920"):
        tiling.encode(vae, doubles(1, 2, samples))


@pytest.mark.parametrize("shape", [(1, 1, 9600), (2, 9600), (1, 6, 9600)])
def test_audio_that_is_not_a_stereo_batch_is_refused(vae: Oobleck, shape: tuple[int, ...]):
    with pytest.raises(InvalidAudioError, match=re.escape(str(list(shape)))):
        tiling.encode(vae, doubles(*shape))


@pytest.mark.parametrize("shape", [(1, 8, 10), (64, 10), (1, 64, 0)])
def test_a_latent_of_another_model_is_refused(vae: Oobleck, shape: tuple[int, ...]):
    with pytest.raises(InvalidAudioError, match=re.escape(str(list(shape)))):
        tiling.decode(vae, doubles(*shape))


FRAMES = 70


@pytest.fixture(scope="module")
def small_vae() -> Oobleck:
    torch.manual_seed(2)
    net = Oobleck(OobleckConfig(encoder_channels=2, decoder_channels=2))
    return net.requires_grad_(False).eval()


@pytest.fixture
def messages() -> list[str]:
    return []


@pytest.fixture
def oom(messages: list[str]) -> OomHandler:
    return OomHandler(notify=messages.append)


class OnDevice(torch.Tensor):
    """A tensor that says it lies on a device; only going to the CPU by name takes it there."""

    @property
    def device(self) -> torch.device:
        return torch.device("cuda", 0)

    def to(self, *given: Any, **named: Any) -> torch.Tensor:
        plain = self.as_subclass(torch.Tensor)
        return plain.to(*given, **named) if given[:1] == ("cpu",) else self


def latent() -> torch.Tensor:
    return torch.randn(1, 64, FRAMES, generator=torch.Generator().manual_seed(1))


def audio() -> torch.Tensor:
    return torch.randn(1, 2, FRAMES * LATENT_HOP, generator=torch.Generator().manual_seed(1))


def on_device(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.as_subclass(OnDevice)


def test_tiles_are_halved_until_they_fit_and_the_sound_is_the_same(
    small_vae: Oobleck, oom: OomHandler, messages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tiling.decode_adaptive(small_vae, latent(), oom=oom)
    assert messages == []
    crowd(monkeypatch, small_vae, "decode", lambda x: x.shape[-1] <= 60)
    assert_same(tiling.decode_adaptive(small_vae, latent(), oom=oom), whole)
    assert messages == [f"Out of memory: trying again with tiles of {n} latent frames."
                    for n in (192, 96, 48, 32)]  # fmt: skip


def test_encoding_halves_its_tiles_as_well(
    small_vae: Oobleck, oom: OomHandler, messages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tiling.encode_adaptive(small_vae, audio(), oom=oom)
    crowd(monkeypatch, small_vae, "encode", lambda x: x.shape[-1] <= 60 * LATENT_HOP)
    part = tiling.encode_adaptive(small_vae, audio(), oom=oom)
    assert_same(part.mean, whole.mean)
    assert_same(part.std, whole.std)
    assert messages[-1] == "Out of memory: trying again with tiles of 32 latent frames."


def test_when_no_tile_fits_the_cpu_decodes_the_same_sound(
    small_vae: Oobleck, oom: OomHandler, messages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tiling.decode_adaptive(small_vae, latent(), oom=oom)
    crowd(monkeypatch, small_vae, "decode", lambda x: False)
    made = tiling.decode_adaptive(small_vae, on_device(latent()), oom=oom)
    assert_same(made, whole)
    assert messages[-1].startswith("Out of memory with the smallest tiles: computed on the CPU")


def test_when_no_tile_fits_the_cpu_encodes_the_same_latents(
    small_vae: Oobleck, oom: OomHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = tiling.encode_adaptive(small_vae, audio(), oom=oom)
    crowd(monkeypatch, small_vae, "encode", lambda x: False)
    made = tiling.encode_adaptive(small_vae, on_device(audio()), oom=oom)
    assert_same(made.mean, whole.mean)


def test_a_full_cpu_is_reported_with_what_to_do(
    small_vae: Oobleck, oom: OomHandler, messages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(monkeypatch, small_vae, "decode", lambda x: False)
    with pytest.raises(NotEnoughMemoryError, match=r"tiles of 32 latent frames\. Free memory"):
        tiling.decode_adaptive(small_vae, latent(), oom=oom)
    assert "computed on the CPU" not in messages[-1]  # it was there already


def test_another_error_passes(
    small_vae: Oobleck, oom: OomHandler, messages: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(monkeypatch, small_vae, "decode", lambda x: False, RuntimeError)
    with pytest.raises(RuntimeError, match="no room"):
        tiling.decode_adaptive(small_vae, latent(), oom=oom)
    assert messages == []


def test_the_copy_on_the_cpu_has_the_weights_of_a_half_precision_vae_in_float32() -> None:
    half = Oobleck(OobleckConfig(encoder_channels=2, decoder_channels=2)).bfloat16()
    copy = half.on_cpu()
    for name, weight in copy.state_dict().items():
        assert weight.dtype is torch.float32
        assert torch.equal(weight, half.state_dict()[name].float())
