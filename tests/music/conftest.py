"""The trained family, loaded once."""

import pytest

from tools.miniature.claims.music import Family, written


@pytest.fixture(scope="session")
def family(tmp_path_factory: pytest.TempPathFactory) -> Family:
    return written(tmp_path_factory.mktemp("models"))
