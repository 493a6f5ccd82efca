"""`measure RECORDING`: tempo, beats, key, meter and levels of a recording, as JSON or as text."""

import argparse
from dataclasses import asdict

from ..audio.files import read_audio
from ..measure.measurement import measure
from ..measure.report import lines
from .options import check_there
from .output import Exit, Output, usage_errors


def run(arguments: argparse.Namespace, output: Output) -> Exit:
    with usage_errors():
        check_there(arguments.recording)
    waveform, rate = read_audio(arguments.recording)
    found = measure(waveform[0], rate)
    path = str(arguments.recording)
    output.result({"path": path, **asdict(found)}, "\n".join([path, *lines(found)]))
    return Exit.DONE
