"""The names of the errors that a host prints."""

import importlib.util
import pickle
import sys
from pathlib import Path

import pytest

from ace_core import errors
from ace_core.errors import AceStepError
from ace_core.memory import NotEnoughMemoryError


def every(kind: type[AceStepError] = AceStepError) -> list[type[AceStepError]]:
    return [kind, *(each for sub in kind.__subclasses__() for each in every(sub))]


def test_the_names_have_no_path_where_the_library_is_part_of_a_pack(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    name = "/somewhere/custom_nodes/pack.ace_core.errors"
    spec = importlib.util.spec_from_file_location(name, Path(errors.__file__))
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, name, module)
    spec.loader.exec_module(module)
    names = {kind.__module__ for kind in every(module.AceStepError)}
    assert names == {"ace_core.errors"}


@pytest.mark.parametrize("kind", every())
def test_an_error_comes_whole_out_of_another_process(kind: type[AceStepError]) -> None:
    again = pickle.loads(pickle.dumps(kind("What is wrong.")))
    assert type(again) is kind
    assert str(again) == "What is wrong."


def test_an_error_of_another_file_is_named_by_it() -> None:
    assert NotEnoughMemoryError.__module__ == "ace_core.memory"
