"""What every test may ask for: one set of miniature checkpoints, written once a test run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tools.hosts.checkout import CheckoutError, find_checkout

if TYPE_CHECKING:
    from tools.miniature import Miniature


def pytest_configure() -> None:
    """A wrong COMFYUI_PATH ends the run in one line."""
    try:
        find_checkout()
    except CheckoutError as error:
        raise pytest.UsageError(str(error)) from None


@pytest.fixture(scope="session")
def checkpoints(tmp_path_factory: pytest.TempPathFactory) -> Miniature:
    """The paths of complete miniature checkpoints in all layouts; read them, never write them."""
    from tools.miniature import miniature

    return miniature(tmp_path_factory.mktemp("models"))
