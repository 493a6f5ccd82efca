"""A whole run of each task, from noise to latents, against the official `generate_audio`."""

import pytest

from ace_core.pipeline import sample
from ace_core.types import Variant
from tests.parity import checks, ours
from tests.parity.cases import CASES

NAMES = [case.name for case in CASES]


@pytest.mark.parametrize("size", ["2b", "xl"])
@pytest.mark.parametrize("case", NAMES)
def test_turbo_latents_are_the_official_ones(case, size):
    assert checks.turbo_trajectory(case, size) < checks.LIMIT


@pytest.mark.parametrize("size", ["2b", "xl"])
@pytest.mark.parametrize("case", NAMES)
def test_guided_latents_of_base_and_sft_are_the_official_ones(case, size):
    assert checks.base_trajectory(case, size) < checks.LIMIT


def test_a_run_depends_on_its_case():
    """Two tasks on sources of the same length end in different music."""
    models, how = ours.models("2b"), checks.how("complete", Variant.TURBO)
    ends = [sample(models, checks.item(case), how) for case in ("complete", "lego", "cover")]
    for first, second in ((0, 1), (0, 2), (1, 2)):
        assert checks.relative_error(ends[first], ends[second]) > 0.01
