"""The trained family, loaded once, and how much of its music is made: a quick form, or with
MUSIC=all the whole one (make test-music)."""

import os

import pytest

from tools.miniature.claims.music import Family, written


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> Family:
    return written(tmp_path_factory.mktemp("models"))


@pytest.fixture(scope="session")
def form() -> str:
    """A key of `EXTENTS`."""
    return "whole" if os.environ.get("MUSIC") == "all" else "quick"
