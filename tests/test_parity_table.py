"""docs/parity.md says what is measured, and its check sees when it does not."""

import pytest

from tools import parity


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
        column.test for column in (*parity.CONDITIONING, parity.TURBO, parity.GUIDED, *parity.WAYS)
    ]
    for test in (*named, parity.PEER_TEST):
        path, name = test.split("::")
        source = (parity.PAGE.parents[1] / path).read_text(encoding="utf-8")
        assert f"def {name}(" in source
        assert test in text


def test_an_old_row_and_a_bound_that_does_not_hold_are_found(text):
    assert parity.faults(text.replace("(`lego`)", "(`layer`)")) == ["its words or rows are old"]
    boast = text.replace("< 3e-6", "< 1e-9", 1)
    assert any("< 1e-09 is claimed" in fault for fault in parity.faults(boast))


def test_a_broken_parity_is_never_written_down():
    assert parity.cell(0.0) == "same"
    assert parity.cell(3e-7) == "< 1e-6"
    assert parity.cell(4e-7) == "< 3e-6"
    assert parity.cell(2e-6) == "< 1e-5"
    assert parity.cell(9e-6) == "< 1e-5"
    for error in (1e-5, float("inf"), float("nan")):
        with pytest.raises(ValueError, match="no parity"):
            parity.cell(error)
