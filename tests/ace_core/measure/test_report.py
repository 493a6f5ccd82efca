"""Measurements as text, and songs beside them."""

import pytest

from ace_core.measure.key import Key
from ace_core.measure.levels import Levels
from ace_core.measure.measurement import Measurement
from ace_core.measure.meter import Meter
from ace_core.measure.report import compared, lines, summary
from ace_core.measure.tempo import Tempo
from ace_core.types import Song

LEVELS = Levels(-14.2, -0.5, 0, 0.0, 0.0, 0.0, 0.0, False)
FOUND = Measurement(
    seconds=60.4,
    tempo=Tempo(128.03, (0.1, 0.57), 0.61, 64.0),
    meter=Meter(4, (0.1, 1.97), 0.8),
    key=Key("F minor", "G# major", 0.12, -3.0),
    levels=LEVELS,
)
NOTHING = Measurement(2.0, None, None, None, Levels(None, -200.0, 0, 2.0, 2.0, 2.0, 0.0, False))


def song(**fields: object) -> Song:
    return Song("calm piano", "[Verse]\nla", **{"seconds": 60.0, **fields})  # pyright: ignore[reportArgumentType]


def verdicts(given: Song, found: Measurement = FOUND) -> dict[str, str]:
    return dict(line.split(": ", 1) for line in compared(given, found))


def test_a_report_has_second_candidates_and_confidences():
    text = "\n".join(lines(FOUND))
    for part in ("128.0 BPM, or 64", "0.61", "F minor, or G# major", "0.12", "4/4", "-14.2 LUFS"):
        assert part in text
    assert summary(FOUND) == "128.0 BPM, 4/4, F minor, -14.2 LUFS"


def test_what_was_not_measured_is_said():
    assert summary(NOTHING) == "no steady pulse, silent"
    found = verdicts(song(bpm=120, key="C major", time_signature=4), NOTHING)
    assert found["tempo"] == "song 120 BPM, measured nothing"
    assert found["key"] == "song C major, measured nothing"
    assert found["meter"] == "song 4/4, measured nothing"


def test_what_a_song_leaves_open_has_no_verdict():
    found = verdicts(song(seconds=None))
    assert found["tempo"] == "song open, measured 128.0 BPM"
    assert found["key"] == "song open, measured F minor"
    assert found["meter"] == "song open, measured 4/4"
    assert found["length"] == "song open, measured 60.4 s"


@pytest.mark.parametrize(
    ("bpm", "verdict"),
    [
        (128, "agrees"),
        (132, "agrees"),  # 3 %
        (134, "differs by -4.5 %"),
        (64, "twice the song's"),
        (256, "half the song's"),
        (43, "three times the song's"),
        (100, "differs by +28.0 %"),
    ],
)
def test_a_tempo_is_judged_and_its_octaves_are_named(bpm: int, verdict: str):
    assert verdicts(song(bpm=bpm))["tempo"].endswith(f"({verdict})")


@pytest.mark.parametrize(
    ("key", "verdict"),
    [
        ("F minor", "agrees"),
        ("G# major", "relative; the song's is the runner-up"),
        ("Ab major", "relative; the song's is the runner-up"),
        ("F major", "parallel"),
        ("Bb minor", "a fifth apart"),
        ("C minor", "a fifth apart"),
        ("E minor", "unrelated"),
    ],
)
def test_a_key_is_judged_by_its_relation(key: str, verdict: str):
    assert verdicts(song(key=key))["key"].endswith(f"({verdict})")


def test_meter_and_length_are_judged():
    found = verdicts(song(time_signature=3, seconds=90.0))
    assert found["meter"] == "song 3/4, measured 4/4 (differs)"
    assert found["length"] == "song 90 s, measured 60.4 s (differs by -29.6 s)"
    assert verdicts(song(time_signature=4))["meter"].endswith("(agrees)")
