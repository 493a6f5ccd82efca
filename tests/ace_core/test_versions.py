"""The warning about a package that is too old, and the same versions in the documents."""

import logging
import re
from importlib.metadata import PackageNotFoundError

import pytest

from ace_core import versions
from ace_core.inference import AceStepHandler, LLMHandler
from ace_core.versions import OLDEST, outdated
from tools.hosts.checkout import ROOT


def test_nothing_is_said_of_the_packages_that_the_tests_run_with():
    assert outdated() is None


@pytest.mark.parametrize("version", ["2.4", "2.4.0", "2.4.1+cu121", "2.10.0", "3.0a0+git12"])
def test_the_oldest_and_what_follows_it_are_new_enough(version: str):
    assert outdated({**OLDEST, "torch": version}.__getitem__) is None


@pytest.mark.parametrize("version", ["2.3.1+cu121", "2.3", "1.13.1"])
def test_an_older_one_is_named_with_what_is_needed(version: str):
    line = outdated({**OLDEST, "torch": version}.__getitem__)
    assert line is not None and "\n" not in line
    assert f"torch {version} (2.4 or newer is needed)" in line
    assert "transformers" not in line


def test_several_share_the_line():
    line = outdated({**OLDEST, "torch": "2.3", "numpy": "1.24.4"}.__getitem__)
    assert line is not None and "torch 2.3" in line and "numpy 1.24.4" in line


def test_a_package_without_a_version_on_record_is_taken_for_new_enough():
    def unknown(name: str) -> str:
        raise PackageNotFoundError(name)

    assert outdated(unknown) is None


def test_whoever_loads_models_by_the_library_finds_it_in_the_log(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
):
    monkeypatch.setattr(versions, "outdated", lambda: "torch is old")
    with caplog.at_level(logging.WARNING):
        AceStepHandler().initialize_service("nowhere", "none")
        LLMHandler().initialize("nowhere", "none")
    assert [record.getMessage() for record in caplog.records].count("torch is old") == 2


def test_the_papers_name_the_oldest_versions():
    """`requirements.txt` asks for nothing; what a ComfyUI must have stands in its comment."""
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    named = dict(re.findall(r"(\w+) (\d[\d.]*\d)", text))
    assert named == {"ComfyUI": "0.20.1", **OLDEST}
    assert all(line.startswith("#") for line in text.splitlines())
