"""What every test may ask for: one set of miniature checkpoints, written once a test run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tools.miniature import Miniature


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Miniature:
    """The paths of complete miniature checkpoints in all layouts; read them, never write them."""
    from tools.miniature import miniature

    return miniature(tmp_path_factory.mktemp("models"))
