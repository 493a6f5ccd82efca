"""docs/parity.md says what is measured, and its check sees when it does not."""

from dataclasses import replace

import pytest

from tools.docs import parity


@pytest.fixture(scope="module")
def text() -> str:
    return parity.PAGE.read_text(encoding="utf-8")


def test_the_page_is_up_to_date_and_its_bounds_hold(text):
    assert parity.faults(text) == []


def test_every_task_of_every_family_has_a_row(text):
    for case in parity.CASES:
        assert text.count(f"(`{case.name}`)") == len(parity.FAMILIES)


def test_every_test_it_names_exists(text):
    named = [
        column.test
        for column in (*(c for family in parity.FAMILIES for c in family.columns), *parity.WAYS)
    ]
    for test in (*named, parity.PEER_TEST, parity.MODES_TEST, *parity.BATCH_TESTS):
        path, name = test.split("::")
        source = (parity.PAGE.parents[1] / path).read_text(encoding="utf-8")
        assert f"def {name}(" in source
        assert test in text


def test_an_old_row_and_a_bound_that_is_not_claimed_are_found(text):
    assert parity.faults(text.replace("(`lego`)", "(`layer`)")) == ["it is old"]
    assert parity.faults(text.replace("< 1e-5", "< 1e-9", 1)) == ["it is old"]


def test_a_claim_that_does_not_hold_is_a_fault(text, monkeypatch):
    broken = replace(parity.TURBO, measure=lambda case, size: 2e-4)
    family = replace(parity.FAMILIES[0], trajectory=broken)
    monkeypatch.setattr(parity, "FAMILIES", (family,))
    assert parity.faults(text) == ["an error of 2.0e-04 where < 1e-04 is claimed"]


def test_a_broken_parity_is_never_written_down():
    assert parity.cell(0.0, 0.0) == "same"
    assert parity.cell(9e-10, 1e-9) == "< 1e-9"
    assert parity.cell(0.0, 1e-5) == "< 1e-5"
    for error in (1e-5, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="is claimed"):
            parity.cell(error, 1e-5)
        with pytest.raises(ValueError, match="should be none"):
            parity.cell(error, 0.0)
