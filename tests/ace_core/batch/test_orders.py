"""Seeds that are left to chance are drawn once for a batch, a line and an item."""

from typing import Any

import pytest

from ace_core.batch.lines import Line
from ace_core.batch.orders import seeds_of


def seeds(salt: str = "salt", name: str = "a", **request: Any) -> tuple[int, ...]:
    return seeds_of(Line(name, 1, request), salt)


@pytest.mark.parametrize(
    ("request_", "stated"),
    [
        ({"seed": 7}, (7,)),
        ({"seeds": 7}, (7,)),
        ({"seeds": [7, 8]}, (7,)),
        ({"seeds": [7, 0], "batch_size": 2}, (7, 0)),
        ({"seed": 1, "seeds": [7, 8], "batch_size": 2}, (7, 8)),
    ],
)
def test_stated_seeds_are_used(request_: dict[str, Any], stated: tuple[int, ...]):
    assert seeds(**request_) == stated


def test_what_is_not_stated_is_drawn_and_stays():
    drawn = seeds(batch_size=3)
    assert len(set(drawn)) == 3
    assert all(0 <= seed < 2**32 for seed in drawn)
    assert seeds(batch_size=3) == drawn
    assert seeds(seed=5, batch_size=3) == (5, *drawn[1:])
    assert seeds(seeds=[5, -1, 6], batch_size=3) == (5, drawn[1], 6)


def test_other_lines_and_other_batches_have_other_seeds():
    assert len({seeds(), seeds(name="b"), seeds(salt="other")}) == 3
