"""Guidance, repetition penalty and filters of the language model, against the official code.

The order of the official PyTorch back end is guidance, penalty, top-k, top-p, temperature. Ours has
the temperature before top-k and top-p, and penalises the output alone (`docs/deviations.md`, row
38), so a top-p below 1 is compared at temperature 1, and the penalty with all official tokens.
"""

import pytest
import torch
from safetensors.torch import load_file

from ace_core.lm.sampling import SamplingParams, sample_token
from tests.ace_core.lm.official_sampling import (
    CASES,
    PROMPT,
    ids,
    logits,
    probabilities,
    repeated,
)
from tests.parity.checks import GOLDENS
from tests.rounding import RECORDED, difference

DIFFERENT = ("hot_top_p",)


@pytest.fixture(scope="module")
def official() -> dict[str, torch.Tensor]:
    return load_file(GOLDENS / "lm_sampling.safetensors")


def test_every_case_is_recorded(official):
    assert set(official) == set(CASES)


@pytest.mark.parametrize("name", [name for name in CASES if name not in DIFFERENT])
def test_the_same_tokens_are_left_with_the_official_probabilities(name, official):
    made = probabilities(name, repeated(ids(name)))
    assert torch.equal(made > 0, official[name] > 0)
    assert difference(made, official[name]) < RECORDED


@pytest.mark.parametrize("name", ["penalty", "reward", "cfg_penalty"])
def test_the_official_penalty_reads_the_prompt_too(name, official):
    ours = probabilities(name, repeated(ids(name)[:, PROMPT:]))
    assert difference(ours, official[name]) > 100 * RECORDED


def test_a_nucleus_is_that_of_the_temperature_where_the_official_one_is_not(official):
    made, wanted = probabilities("hot_top_p", repeated(ids("hot_top_p"))), official["hot_top_p"]
    kept, official_kept = made > 0, wanted > 0
    assert (kept | official_kept == kept).all()  # hotter: more tokens hold the same share
    assert (kept.sum(dim=1) > official_kept.sum(dim=1)).any()
    shared = made * official_kept
    assert difference(shared / shared.sum(dim=1, keepdim=True), wanted) < RECORDED


def test_sampling_penalises_as_the_official_code_does(official):
    """The whole of `sample_token`, by its choice of the likeliest token."""
    case = CASES["penalty"]
    params = SamplingParams(0.0, top_p=1.0, repetition_penalty=case.penalty)
    cond, _ = logits("penalty")
    drawn = sample_token(cond, torch.zeros(len(cond)), params, None, repeated(ids("penalty")))
    assert torch.equal(drawn, official["penalty"].argmax(dim=-1))
