"""Rows added for oneDNN change no number, and are added only where they make fewer blocks."""

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from ace_core.models import padded_rows
from ace_core.models.acestep import AceStepModel
from ace_core.models.padded_rows import padded, padded_length, serves, unpadded
from tests.ace_core.models.test_row_blocks import conditions, velocity
from tests.toy import acestep, dit_config, randn

# float64's rounding, 2 ** -53, grows with the square root of some 1,000 sums in 10 layers
EXACT = 1e-12


@pytest.mark.parametrize(
    ("rows", "length"),
    [
        (0, 0),
        (1, 1),
        (125, 125),  # 10 s: one block
        (250, 250),
        (275, 276),  # five of 55, two of 138
        (326, 326),
        (375, 376),  # 30 s: three of 125, two of 188
        (750, 750),  # 60 s: three of 250, as few as can be
        (1006, 1008),  # 503 is a prime
        (1325, 1326),
        (1500, 1500),  # 120 s
    ],
)
def test_rows_are_added_where_that_makes_fewer_blocks(rows: int, length: int):
    assert padded_length(rows) == length


@pytest.mark.parametrize("run", [velocity, conditions])
def test_a_model_gives_the_same_with_added_rows(
    run: Callable[[AceStepModel, torch.dtype], Tensor], monkeypatch: pytest.MonkeyPatch
):
    model, lengths = acestep(dit_config()).double(), set[int]()

    def noted(rows: int) -> int:
        lengths.add(rows)
        return rows + 5

    with torch.inference_mode():
        monkeypatch.setattr(padded_rows, "ENABLED", False)
        plain = run(model, torch.float64)
        monkeypatch.setattr(padded_rows, "serves", lambda x: True)
        monkeypatch.setattr(padded_rows, "padded_length", noted)
        added = run(model, torch.float64)
    assert max(lengths) > 400
    assert (added - plain).abs().max() <= EXACT * plain.abs().max()


def test_added_rows_are_zeros_and_are_taken_away(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(padded_rows, "serves", lambda x: True)
    x = randn(2, 163, 3)[:, :, :2]  # 326 rows, not contiguous
    assert padded(x) is x
    x = randn(5, 55, 3)[:, :, :2]
    rows = padded(x)
    assert rows.shape == (1, 276, 2)
    assert torch.equal(rows[0, 275:], torch.zeros(1, 2))
    assert torch.equal(unpadded(rows, x), x)


def test_they_are_added_on_such_a_processor_without_gradients_only(monkeypatch: pytest.MonkeyPatch):
    for name in ("cpu_is_amd", "cpu_has_bf16_without_matrix_units"):
        monkeypatch.setattr(padded_rows, name, lambda: True)
    x = randn(1, 275, 2)
    assert not serves(x)
    with torch.inference_mode():
        assert serves(x) and serves(x.bfloat16())
        assert not serves(x.half()) and not serves(x.double())
        monkeypatch.setattr(padded_rows, "cpu_is_amd", lambda: False)
        assert not serves(x)
        monkeypatch.setattr(padded_rows, "ENABLED", False)
        assert not serves(x.bfloat16())
