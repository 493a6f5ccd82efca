"""Latents and flow times of nodes and programs that are not ours."""

import pytest
import torch

from ace_core.errors import InvalidRequestError, InvalidScheduleError
from ace_core.latents import check_finite, check_sigmas, latent_samples

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
    + [torch.tensor([1.0, t, 0.0]) for t in (float("nan"), float("inf"), -0.5, 14.6)],
)
def test_what_are_no_flow_times_is_refused(sigmas):
    with pytest.raises(InvalidScheduleError, match="Connect ACE-Step Schedule"):
        check_sigmas(sigmas)
