"""One seed gives one song, whatever ran before: `make determinism` runs each way ten times."""

import importlib
from pathlib import Path

import pytest

from tests.rounding import SINGLE
from tools.hosts.pack import Pack
from tools.testing.determinism import BATCH, Songs, difference, digest, in_new_process

BY_BATCH = f"first of a batch of {BATCH}"
ROUNDED = {"1 thread", "2 threads", BY_BATCH}  # in the last bits: sums are in another order
TIMES = 1  # beside the first


@pytest.fixture(scope="module")
def songs(pack: Pack, models: Path) -> Songs:
    return Songs(pack.host)


def test_each_way_gives_the_same_song(songs: Songs) -> None:
    first = songs.make()
    ways = songs.ways()
    assert set(ways) > ROUNDED
    for way, make in ways.items():
        found = [difference(make(), first) for _ in range(TIMES)]
        assert max(found) <= (SINGLE if way in ROUNDED else 0.0), (way, found)


def test_a_new_process_gives_the_same_song(songs: Songs) -> None:
    assert in_new_process(1) == digest(songs.with_threads(1))


def test_the_host_puts_its_models_away(songs: Songs) -> None:
    """So that the way after offloading is one."""
    management = importlib.import_module("comfy.model_management")
    if not hasattr(management, "unload_all_models"):
        pytest.skip("the stand-in moves no models")
    songs.make()
    management.unload_all_models()
    assert not management.loaded_models()
