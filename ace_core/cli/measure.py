"""`measure RECORDING`: tempo, beats, key, meter and levels of a recording, as JSON or as text."""

import argparse
from dataclasses import asdict
from typing import Any

from ..audio.files import read_audio
from ..measure.measurement import Measurement, measure
from .output import Exit, Output


def run(arguments: argparse.Namespace, output: Output) -> Exit:
    waveform, rate = read_audio(arguments.recording)
    found = measure(waveform[0], rate)
    path = str(arguments.recording)
    output.result({"path": path, **asdict(found)}, "\n".join([path, *lines(found)]))
    return Exit.DONE


def lines(found: Measurement) -> list[str]:
    """A measurement as lines of text."""
    rows: dict[str, Any] = {"length": f"{found.seconds:.2f} s"}
    if found.tempo is None:
        rows["tempo"] = "no steady pulse"
    else:
        other = "" if found.tempo.other is None else f", or {found.tempo.other:.0f}"
        rows["tempo"] = (
            f"{found.tempo.bpm:.1f} BPM{other} (autocorrelation {found.tempo.confidence:.2f})"
        )
    if found.meter is not None:
        below = 8 if found.meter.time_signature == 6 else 4
        rows["meter"] = f"{found.meter.time_signature}/{below}"
        rows["downbeat"] = f"{found.meter.downbeats[0]:.2f} s"
    if found.key is not None:
        rows["key"] = f"{found.key.name}, or {found.key.runner_up}"
        rows["tuning"] = f"{found.key.tuning:+.0f} cents"
    levels = found.levels
    rows["loudness"] = "silent" if levels.loudness is None else f"{levels.loudness:.1f} LUFS"
    rows["true peak"] = f"{levels.true_peak:.1f} dBTP"
    rows["clipped"] = f"{levels.clipped} samples"
    rows["silence"] = (
        f"{levels.silence_before:.2f} s before, {levels.silence_after:.2f} s after, "
        f"{levels.longest_silence:.2f} s within"
    )
    rows["ending"] = (
        f"fades over {levels.fade_out:.1f} s"
        if levels.fade_out
        else ("cut off" if levels.cut_off else "comes to an end")
    )
    return [f"  {name:<10}{text}" for name, text in rows.items()]
