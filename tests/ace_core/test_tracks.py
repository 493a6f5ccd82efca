"""Track names as people write them."""

import pytest

from ace_core.constants import TRACKS
from ace_core.tracks import names_track, parse_track


@pytest.mark.parametrize(
    ("text", "track"),
    [
        ("drum", "drums"),
        ("Guitars", "guitar"),
        ("backing vocal", "backing_vocals"),
        ("Backing-Vocals", "backing_vocals"),
        ("bass", "bass"),
        ("woodwind", "woodwinds"),
        (" FX ", "fx"),
    ],
)
def test_a_track_may_be_singular_or_plural_in_any_case(text: str, track: str):
    assert parse_track(text) == track


@pytest.mark.parametrize("text", ["", "kazoo", "bas", "s"])
def test_what_is_no_track_is_none(text: str):
    assert parse_track(text) is None


@pytest.mark.parametrize("track", TRACKS)
def test_every_track_is_itself(track: str):
    assert parse_track(track) == track
    assert names_track(f"play the {track.replace('_', ' ')} now", track)


def test_a_track_is_named_by_words_of_its_own():
    assert names_track("add some guitars", "guitar")
    assert names_track("a drum solo", "drums")
    assert not names_track("a bassoon", "bass")
    assert not names_track("backing vocals", "vocals")
