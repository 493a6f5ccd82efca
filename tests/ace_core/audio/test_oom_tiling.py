"""The VAE on a device that is full: smaller tiles, at last the CPU, the same sound."""

from typing import Any

import pytest
import torch

from ace_core.audio import oom_tiling
from ace_core.memory import NotEnoughMemoryError, OomHandler
from ace_core.models.vae import Oobleck, OobleckConfig
from tests.crowded import crowd
from tests.rounding import assert_same

HOP = 1920
FRAMES = 70


@pytest.fixture(scope="module")
def vae() -> Oobleck:
    torch.manual_seed(2)
    net = Oobleck(OobleckConfig(encoder_channels=2, decoder_channels=2))
    return net.requires_grad_(False).eval()


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def oom(said: list[str]) -> OomHandler:
    return OomHandler(notify=said.append)


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
    return torch.randn(1, 2, FRAMES * HOP, generator=torch.Generator().manual_seed(1))


def on_device(tensor: torch.Tensor) -> torch.Tensor:
    return tensor.as_subclass(OnDevice)


def test_tiles_are_halved_until_they_fit_and_the_sound_is_the_same(
    vae: Oobleck, oom: OomHandler, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = oom_tiling.decode(vae, latent(), oom=oom)
    assert said == []
    crowd(monkeypatch, vae, "decode", lambda x: x.shape[-1] <= 60)
    assert_same(oom_tiling.decode(vae, latent(), oom=oom), whole)
    assert said == [f"Out of memory: trying again with tiles of {n} latent frames."
                    for n in (192, 96, 48, 32)]  # fmt: skip


def test_encoding_halves_its_tiles_as_well(
    vae: Oobleck, oom: OomHandler, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = oom_tiling.encode(vae, audio(), oom=oom)
    crowd(monkeypatch, vae, "encode", lambda x: x.shape[-1] <= 60 * HOP)
    part = oom_tiling.encode(vae, audio(), oom=oom)
    assert_same(part.mean, whole.mean)
    assert_same(part.std, whole.std)
    assert said[-1] == "Out of memory: trying again with tiles of 32 latent frames."


def test_when_no_tile_fits_the_cpu_decodes_the_same_sound(
    vae: Oobleck, oom: OomHandler, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = oom_tiling.decode(vae, latent(), oom=oom)
    crowd(monkeypatch, vae, "decode", lambda x: False)
    made = oom_tiling.decode(vae, on_device(latent()), oom=oom)
    assert_same(made, whole)
    assert said[-1].startswith("Out of memory with the smallest tiles: computed on the CPU")


def test_when_no_tile_fits_the_cpu_encodes_the_same_latents(
    vae: Oobleck, oom: OomHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = oom_tiling.encode(vae, audio(), oom=oom)
    crowd(monkeypatch, vae, "encode", lambda x: False)
    made = oom_tiling.encode(vae, on_device(audio()), oom=oom)
    assert_same(made.mean, whole.mean)


def test_a_full_cpu_is_reported_with_what_to_do(
    vae: Oobleck, oom: OomHandler, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(monkeypatch, vae, "decode", lambda x: False)
    with pytest.raises(NotEnoughMemoryError, match=r"tiles of 32 latent frames\. Free memory"):
        oom_tiling.decode(vae, latent(), oom=oom)
    assert "computed on the CPU" not in said[-1]  # it was there already


def test_another_error_passes(
    vae: Oobleck, oom: OomHandler, said: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    crowd(monkeypatch, vae, "decode", lambda x: False, RuntimeError)
    with pytest.raises(RuntimeError, match="no room"):
        oom_tiling.decode(vae, latent(), oom=oom)
    assert said == []


def test_the_copy_on_the_cpu_has_the_weights_of_a_half_precision_vae_in_float32() -> None:
    half = Oobleck(OobleckConfig(encoder_channels=2, decoder_channels=2)).bfloat16()
    copy = half.on_cpu()
    for name, weight in copy.state_dict().items():
        assert weight.dtype is torch.float32
        assert torch.equal(weight, half.state_dict()[name].float())
