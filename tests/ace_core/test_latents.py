"""Latents and flow times of nodes and programs that are not ours."""

import pytest
import torch

from ace_core.errors import InvalidRequestError, InvalidScheduleError
from ace_core.latents import check_finite, check_sigmas, latent_samples, mask_columns, noise_mask

GOOD = torch.zeros(1, 64, 5)


def test_a_finite_latent_is_handed_on_as_it_is():
    assert latent_samples({"samples": GOOD, "type": "audio"}) is GOOD
    check_finite(GOOD, "mask")


@pytest.mark.parametrize("broken", [float("nan"), float("inf"), -float("inf")])
def test_a_latent_with_one_number_that_is_not_finite_is_refused(broken):
    latent = GOOD.clone()
    latent[0, 63, 4] = broken
    with pytest.raises(InvalidRequestError, match="1 of the latent's 320 values are NaN or inf"):
        latent_samples({"samples": latent})


@pytest.mark.parametrize(
    ("latent", "words"),
    [
        ({}, "NoneType"),
        (None, "NoneType"),
        ({"samples": [1]}, "list"),
        ({"samples": GOOD[0]}, r"\[64, 5\]"),
        ({"samples": torch.zeros(1, 16, 8, 8)}, r"\[1, 16, 8, 8\]"),
        ({"samples": torch.zeros(1, 63, 5)}, r"\[1, 63, 5\]"),
        ({"samples": torch.zeros(1, 64, 0)}, r"\[1, 64, 0\]"),
        ({"samples": GOOD.int()}, "int32"),
    ],
)
def test_what_is_no_latent_of_music_is_refused(latent, words):
    with pytest.raises(InvalidRequestError, match=words):
        latent_samples(latent)


def test_flow_times_that_fall_from_one_are_taken():
    check_sigmas(torch.tensor([1.0, 0.5, 0.0]))


@pytest.mark.parametrize(
    "sigmas",
    [None, [1.0, 0.0], torch.tensor(1.0), torch.zeros(2, 2), torch.tensor([1.0]), torch.zeros(0)]
    + [torch.tensor([1.0, t, 0.0]) for t in (float("nan"), float("inf"), -0.5, 14.6, 0.5j)],
)
def test_what_are_no_flow_times_is_refused(sigmas):
    with pytest.raises(InvalidScheduleError, match="Connect ACE-Step Schedule"):
        check_sigmas(sigmas)


@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 2, 3)])
def test_a_mask_is_marked_where_any_pixel_of_a_column_is(shape):
    mask = torch.zeros(shape)
    mask.view(-1, 3)[-1, 1] = 1
    assert mask_columns(mask).tolist() == [0, 1, 0]


@pytest.mark.parametrize(
    ("mask", "words"),
    [
        ([1.0], "list"),
        (torch.tensor(1.0), r"\[\] in torch.float32"),
        (torch.zeros(1, 0, 3), r"\[1, 0, 3\]"),
        (torch.zeros(1, 1, 1, 3), r"\[1, 1, 1, 3\]"),
        (torch.zeros(1, 3, dtype=torch.complex64), "complex64"),
        (torch.tensor([[1.0, float("nan")]]), "1 of the mask's 2 values"),
    ],
)
def test_what_is_no_mask_is_refused(mask, words):
    with pytest.raises(InvalidRequestError, match=words):
        mask_columns(mask)


def test_a_noise_mask_is_one_row_per_channel():
    mask = torch.rand(2, 1, 5)
    assert noise_mask(mask) is mask
    painted = torch.zeros(2, 1, 3, 5)
    painted[1, 0, 2] = mask[1, 0]
    assert torch.equal(noise_mask(painted), torch.stack([torch.zeros(1, 5), mask[1]]))


@pytest.mark.parametrize(
    "mask",
    [
        None,
        torch.ones(5),
        torch.ones(1, 5),
        torch.ones(1, 2, 3, 5),
        torch.ones(1, 1, 0),
        torch.ones(1, 1, 5, dtype=torch.int32),
        torch.ones(1, 1, 5).to(torch.float8_e4m3fn),
        torch.full((1, 1, 5), torch.nan),
    ],
)
def test_what_is_no_noise_mask_is_refused(mask):
    with pytest.raises(InvalidRequestError, match="latent's mask"):
        noise_mask(mask)
