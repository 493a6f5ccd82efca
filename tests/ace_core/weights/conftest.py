"""Checkpoints that only the tests of weights read."""

from pathlib import Path

import pytest


@pytest.fixture(scope="session")
def xl_diffusers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The miniature's XL model as a diffusers folder."""
    from tools.miniature.checkpoints import write_xl_diffusers

    folder = tmp_path_factory.mktemp("models") / "acestep-v15-xl-turbo-diffusers"
    write_xl_diffusers(folder)
    return folder
