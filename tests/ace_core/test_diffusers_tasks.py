"""Every task through diffusers' pipeline, asked for what it does right."""

import pytest

from tests.parity import peers
from tests.rounding import DOUBLE


@pytest.mark.parametrize("family", list(peers.CHECKS))
@pytest.mark.parametrize("case", peers.COMPARABLE)
def test_latents_are_those_of_the_diffusers_pipeline(case, family):
    assert peers.CHECKS[family](case) < DOUBLE
