"""The numbers of inputs, at the end of a run of fuzz targets."""

from pathlib import Path

import pytest

from tests.fuzz.targets import INPUTS


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("fuzz")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, count in sorted(INPUTS.items()):
        terminalreporter.write_line(f"fuzz {name} {count}")
