"""The audio preview: its frames, that they equal those of the whole song, and its loudness."""

import copy

import pytest
import torch

from ace_core.audio import tiling
from ace_core.audio.loudness import loudness
from ace_core.audio.preview import decode_preview, preview_frames
from ace_core.errors import InvalidRequestError
from ace_core.models.vae import Oobleck, OobleckConfig
from tests.rounding import difference

HOP, RATE = 1920, 48_000
NARROW = OobleckConfig(encoder_channels=2, decoder_channels=2)


@pytest.fixture(scope="module")
def vae() -> Oobleck:
    """The real strides and narrow layers, in the float32 that a device computes in."""
    torch.manual_seed(2)
    model = Oobleck(NARROW)
    for parameter in model.parameters():
        parameter.data.normal_(0, 0.4)
    return model


def estimate(frames: int, items: int = 1) -> torch.Tensor:
    return torch.randn(items, 64, frames, generator=torch.Generator().manual_seed(frames))


@pytest.mark.parametrize(
    ("frames", "start", "found"),
    [
        (250, None, (100, 150)),  # the middle of ten seconds
        (251, None, (100, 150)),
        (50, None, (0, 50)),
        (30, None, (0, 30)),  # shorter than two seconds: all of it
        (250, 0.0, (0, 50)),
        (250, 3.05, (76, 126)),  # from the frame that holds the moment
        (250, 9.0, (225, 250)),  # what is left
        (250, 9.99, (249, 250)),
    ],
)
def test_the_preview_is_in_the_middle_or_where_it_was_asked_for(
    frames: int, start: float | None, found: tuple[int, int]
):
    assert preview_frames(frames, start) == found


@pytest.mark.parametrize("start", [10.0, 600.0, -0.5, float("nan"), float("inf")])
def test_a_moment_outside_the_song_is_refused(start: float):
    with pytest.raises(InvalidRequestError, match="the song is 10 s long"):
        preview_frames(250, start)


@pytest.mark.parametrize(("start", "stop"), [(0, 50), (5, 55), (60, 110), (100, 150), (140, 150)])
def test_a_preview_is_that_part_of_the_whole(vae: Oobleck, start: int, stop: int):
    exact, latent = copy.deepcopy(vae).double(), estimate(150, items=2).double()
    whole = exact.decode(latent)[0].float()  # of the first item, in one pass
    part = tiling.decode_part(exact, latent, start, stop)
    assert part.shape == (2, (stop - start) * HOP)
    expected = whole[:, start * HOP : stop * HOP]
    assert difference(part, expected) < 1e-6  # given in float32


def test_no_more_is_decoded_than_the_preview_and_its_halo(vae: Oobleck):
    lengths: list[int] = []

    class Recorder:
        def decode(self, latent: torch.Tensor) -> torch.Tensor:
            lengths.append(latent.shape[2])
            return vae.decode(latent)

    tiling.decode_part(Recorder(), estimate(300), 100, 150)
    assert lengths == [50 + 2 * tiling.DECODE_HALO]


@pytest.mark.parametrize("level", [0.001, 40.0])
def test_an_estimate_of_any_level_is_played_at_broadcast_loudness(vae: Oobleck, level: float):
    class Louder:
        def decode(self, latent: torch.Tensor) -> torch.Tensor:
            preview = vae.decode(latent)
            return level * preview / preview.abs().max()

    preview = decode_preview(Louder(), estimate(60), (5, 55))
    assert loudness(preview, RATE) == pytest.approx(-23.0, abs=0.05)
    assert preview.abs().max() < 1


def test_the_estimate_itself_is_left_alone(vae: Oobleck):
    latent = estimate(60)
    before = latent.clone()
    decode_preview(vae, latent, (5, 55))
    assert torch.equal(latent, before)
