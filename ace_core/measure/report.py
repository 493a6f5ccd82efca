"""A measurement as text, alone and beside the values of a song."""

from typing import Any, Final

from ..types import Song
from .fit import METERS, OCTAVES, TOLERANCE
from .key import relation
from .measurement import Measurement

LENGTH_TOLERANCE: Final = 1.0  # seconds
SAME: Final = "the same"  # of the relations of keys


def lines(found: Measurement) -> list[str]:
    """A measurement, one line per value."""
    rows: dict[str, Any] = {"length": f"{found.seconds:.2f} s"}
    if found.tempo is None:
        rows["tempo"] = "no steady pulse"
    else:
        other = "" if found.tempo.other is None else f", or {found.tempo.other:.0f}"
        rows["tempo"] = (
            f"{found.tempo.bpm:.1f} BPM{other} (autocorrelation {found.tempo.confidence:.2f})"
        )
    if found.meter is not None:
        rows["meter"] = (
            f"{METERS[found.meter.time_signature]} (confidence {found.meter.confidence:.2f})"
        )
        rows["downbeat"] = f"{found.meter.downbeats[0]:.2f} s"
    if found.key is not None:
        rows["key"] = (
            f"{found.key.name}, or {found.key.runner_up} (confidence {found.key.confidence:.2f})"
        )
        rows["tuning"] = f"{found.key.tuning:+.0f} cents"
    rows |= _level_rows(found)
    return [f"  {name:<10}{text}" for name, text in rows.items()]


def level_words(loudness: float | None, true_peak: float) -> str:
    """Loudness in LUFS, None where all is silent, and true peak in dB of full scale, as text."""
    if loudness is None:
        return "silent"
    return f"{loudness:.1f} LUFS, true peak {true_peak:.1f} dBTP"


def _level_rows(found: Measurement) -> dict[str, str]:
    levels = found.levels
    ending = "cut off" if levels.cut_off else "comes to an end"
    return {
        "loudness": "silent" if levels.loudness is None else f"{levels.loudness:.1f} LUFS",
        "true peak": f"{levels.true_peak:.1f} dBTP",
        "clipped": f"{levels.clipped} samples",
        "silence": (
            f"{levels.silence_before:.2f} s before, {levels.silence_after:.2f} s after, "
            f"{levels.longest_silence:.2f} s within"
        ),
        "ending": f"fades over {levels.fade_out:.1f} s" if levels.fade_out else ending,
    }


def summary(found: Measurement) -> str:
    """Tempo, meter, key and loudness in one line."""
    parts = ["no steady pulse" if found.tempo is None else f"{found.tempo.bpm:.1f} BPM"]
    if found.meter is not None:
        parts.append(METERS[found.meter.time_signature])
    if found.key is not None:
        parts.append(found.key.name)
    loudness = found.levels.loudness
    parts.append("silent" if loudness is None else f"{loudness:.1f} LUFS")
    return ", ".join(parts)


def compared(song: Song, found: Measurement) -> list[str]:
    """What `song` says and what was measured, one line per value, with a verdict."""
    return [
        _row("tempo", *_tempo(song.bpm, found)),
        _row("key", *_key(song.key, found)),
        _row("meter", *_meter(song.time_signature, found)),
        _row("length", *_length(song.seconds, found.seconds)),
    ]


def _row(name: str, given: str | None, measured: str | None, verdict: str) -> str:
    judged = "" if given is None or measured is None else f" ({verdict})"
    return f"{name}: song {given or 'open'}, measured {measured or 'nothing'}{judged}"


def _tempo(bpm: float | None, found: Measurement) -> tuple[str | None, str | None, str]:
    given = None if bpm is None else f"{bpm:g} BPM"
    if found.tempo is None or bpm is None:
        return given, found.tempo and f"{found.tempo.bpm:.1f} BPM", ""
    ratio = found.tempo.bpm / bpm
    verdict = f"differs by {100 * (ratio - 1):+.1f} %"
    for multiple, name in OCTAVES.items():
        if abs(ratio / multiple - 1) <= TOLERANCE:
            verdict = f"{name} the song's"
    if abs(ratio - 1) <= TOLERANCE:
        verdict = "agrees"
    return given, f"{found.tempo.bpm:.1f} BPM", verdict


def _key(key: str | None, found: Measurement) -> tuple[str | None, str | None, str]:
    if found.key is None or key is None:
        return key, found.key and found.key.name, ""
    related = relation(key, found.key.name)
    if related == SAME:
        return key, found.key.name, "agrees"
    second = relation(key, found.key.runner_up) == SAME
    return key, found.key.name, related + ("; the song's is the runner-up" if second else "")


def _meter(signature: int | None, found: Measurement) -> tuple[str | None, str | None, str]:
    given = None if signature is None else METERS[signature]
    measured = None if found.meter is None else METERS[found.meter.time_signature]
    return given, measured, "agrees" if given == measured else "differs"


def _length(seconds: float | None, measured: float) -> tuple[str | None, str | None, str]:
    if seconds is None:
        return None, f"{measured:.1f} s", ""
    close = abs(seconds - measured) <= LENGTH_TOLERANCE
    verdict = "agrees" if close else f"differs by {measured - seconds:+.1f} s"
    return f"{seconds:g} s", f"{measured:.1f} s", verdict
