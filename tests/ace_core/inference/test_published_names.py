"""Every name, type and default of the published document is there, and in its place."""

import inspect
from dataclasses import MISSING, fields
from typing import Any

import pytest

from ace_core import inference

from .published import CLASSES, FUNCTIONS, LATER, METHODS, OFFLOAD, OURS, REQUIRED


def default_of(field: Any) -> Any:
    return field.default if field.default is not MISSING else field.default_factory()


def written(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) and "[" not in str(kind) else str(kind)


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_has_the_published_fields_types_and_defaults_in_their_order(name: str):
    found = [
        (field.name, written(field.type), default_of(field))
        for field in fields(getattr(inference, name))
    ]
    assert found == [*CLASSES[name], *LATER.get(name, [])]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_has_the_published_arguments_and_defaults_in_their_order(name: str):
    parameters = inspect.signature(getattr(inference, name)).parameters.values()
    found = [(p.name, REQUIRED if p.default is p.empty else p.default) for p in parameters]
    assert found[: len(FUNCTIONS[name])] == FUNCTIONS[name]
    assert {name for name, _ in found[len(FUNCTIONS[name]) :]} <= OURS


@pytest.mark.parametrize("name", METHODS)
def test_a_handler_is_initialised_by_the_published_arguments(name: str):
    handler, method = name.split(".")
    parameters = inspect.signature(getattr(getattr(inference, handler), method)).parameters
    assert list(parameters)[1 : 1 + len(METHODS[name])] == METHODS[name]
    assert parameters[OFFLOAD].default is False


def test_everything_published_is_exported_and_nothing_else():
    handlers = {name.split(".")[0] for name in METHODS}
    assert set(inference.__all__) == {*CLASSES, *FUNCTIONS, *handlers}


@pytest.mark.parametrize("name", CLASSES)
def test_a_value_becomes_a_dictionary_of_its_fields(name: str):
    every = [*CLASSES[name], *LATER.get(name, [])]
    assert list(getattr(inference, name)().to_dict()) == [field for field, *_ in every]
