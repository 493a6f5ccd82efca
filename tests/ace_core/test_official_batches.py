"""Items of unequal batches, and a song of 1,000 frames on XL base, against the official code."""

import pytest

from ace_core.types import Variant
from tests.parity import batches, checks
from tests.rounding import difference

SIZES = ("2b", "xl")
VARIANTS = (Variant.TURBO, Variant.BASE)
ITEMS = range(len(batches.BATCH))
SHORTER, LONGEST = ITEMS


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("item", ITEMS)
def test_an_item_s_condition_is_that_of_its_official_batch_without_what_was_filled_in(item, size):
    assert batches.condition(item, size) < checks.ENCODED


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("size", SIZES)
def test_the_longest_item_of_a_batch_alone_is_that_of_the_official_batch(size, variant):
    assert batches.filled_up(LONGEST, size) == 0 < batches.filled_up(SHORTER, size)
    assert batches.run(LONGEST, size, variant) < checks.RUN


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("size", SIZES)
def test_a_shorter_item_differs_by_what_was_filled_in_and_nothing_else(size, variant):
    assert batches.run_filled_up(SHORTER, size, variant) < checks.RUN
    assert batches.run(SHORTER, size, variant) > 100 * checks.RUN


def test_xl_base_over_a_thousand_frames_is_the_official_run():
    assert batches.long_run() < checks.RUN


def test_the_items_of_the_batch_differ():
    made = [batches.latents(item, "2b", Variant.TURBO) for item in ITEMS]
    assert difference(*made) > 100 * checks.RUN
