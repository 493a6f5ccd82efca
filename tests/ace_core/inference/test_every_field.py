"""No field of the published classes is without a test that changes it alone, and none of the
document's tables without one that leaves it open."""

from dataclasses import fields

from ace_core.inference import GenerationConfig, GenerationParams

from . import (
    test_analysis,
    test_audio_start,
    test_fields_of_dcw,
    test_fields_of_planning,
    test_fields_of_sampling,
    test_fields_of_songs,
    test_later_fields,
    test_loras,
    test_morph_params,
    test_songs_again,
    test_takes,
)
from .published import CONFIG, PARAMS
from .watched import CHANGED, LEFT_OPEN

DOCUMENTED = {name for name, _, _ in (*PARAMS, *CONFIG)}
MODULES = (
    test_fields_of_songs,
    test_fields_of_sampling,
    test_fields_of_planning,
    test_fields_of_dcw,
    test_later_fields,
    test_loras,
    test_morph_params,
    test_songs_again,
    test_audio_start,
    test_analysis,
    test_takes,
)


def test_the_document_has_43_and_7_fields():
    assert (len(PARAMS), len(CONFIG)) == (43, 7)


def test_each_field_has_a_test_that_changes_it_alone():
    """A new field: decorate its test with `@changes("its_name")`, in one of `MODULES`."""
    kinds = (GenerationParams, GenerationConfig)
    assert set(CHANGED) == {field.name for kind in kinds for field in fields(kind)}


def test_each_field_of_the_document_has_a_test_that_leaves_it_open():
    assert set(LEFT_OPEN) == DOCUMENTED


def test_a_test_of_several_open_fields_runs_once_for_each():
    """So that no field is open only beside others: a parameter is its name."""
    for name in {name for tests in LEFT_OPEN.values() for name in tests}:
        left_open = {field for field, tests in LEFT_OPEN.items() if name in tests}
        test = next(vars(module)[name] for module in MODULES if name in vars(module))
        marks = [mark for mark in getattr(test, "pytestmark", ()) if mark.name == "parametrize"]
        values = [set(mark.args[1]) for mark in marks if mark.args[0] == "name"]
        assert len(left_open) == 1 or values == [left_open], name


def test_what_is_registered_are_tests():
    names = {name for tests in (*CHANGED.values(), *LEFT_OPEN.values()) for name in tests}
    assert all(name.startswith("test_") for name in names)
    assert names <= {name for module in MODULES for name in vars(module)}
