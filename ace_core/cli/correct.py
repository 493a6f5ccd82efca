"""`correct RECORDING`: its tempo and key changed by a little, by hand or to what was asked."""

import argparse
import os
from dataclasses import asdict
from pathlib import Path

from ..audio.files import LAYOUTS, FileFormat, check_encoder, read_audio, save
from ..audio.tempo_key import Change, changed
from ..errors import InvalidRequestError
from ..inference.limits import FORMATS
from ..measure.correction import Correction, check_asked, corrected, described
from ..texts import shown
from .music import FORMAT_OF_SUFFIX
from .options import check_there
from .output import Exit, Output, usage_errors


def run(arguments: argparse.Namespace, output: Output) -> Exit:
    with usage_errors():
        form = _format(arguments.out)
        change = _change(arguments)
        check_there(arguments.recording)
        _check_place(arguments.recording, arguments.out)
    waveform, rate = read_audio(arguments.recording)
    if waveform.shape[1] not in LAYOUTS:
        raise InvalidRequestError(
            f"{shown(arguments.recording)} has {waveform.shape[1]} channels, but files of 1 or 2 "
            "are written. Mix it down first."
        )
    output.bar(0.0, "Correcting")
    if change is None:
        made, (done,) = corrected(waveform, rate, arguments.bpm, arguments.key)
    else:
        made, done = changed(waveform, rate, change), Correction(change, (described(change),))
    save(arguments.out, made[0], form, rate=rate, replace=True)
    output.result(
        {"success": True, "path": str(arguments.out), **asdict(done.change), "report": done.lines},
        "\n".join([str(arguments.out), *(f"  {line}" for line in done.lines)]),
    )
    return Exit.DONE


def _change(arguments: argparse.Namespace) -> Change | None:
    """What is given by hand; None where it follows from what is measured.

    Raises:
        InvalidRequestError: nothing is given, or both ways, or a value outside its range.
        InvalidSongError: --key is no key.
    """
    asked = arguments.bpm is not None or arguments.key is not None
    by_hand = arguments.tempo is not None or arguments.semitones is not None
    if asked == by_hand:
        raise InvalidRequestError(
            "Give --bpm, --key or both, to measure and correct, or --tempo, --semitones or both, "
            "to change by that much."
        )
    if asked:
        check_asked(arguments.bpm, arguments.key)
        return None
    return Change(arguments.tempo or 0.0, arguments.semitones or 0.0)


def _format(out: Path) -> FileFormat:
    suffix = out.suffix.removeprefix(".").lower()
    form = FORMAT_OF_SUFFIX.get(suffix, suffix)
    if form not in FORMATS:
        raise InvalidRequestError(
            f"--out {shown(out)} must be a file's name that ends with .flac, .wav, .mp3, .opus or "
            ".m4a."
        )
    check_encoder(FORMATS[form])
    return FileFormat(FORMATS[form])


def _check_place(recording: Path, out: Path) -> None:
    if os.path.exists(out) and os.path.exists(recording) and out.samefile(recording):
        raise InvalidRequestError(
            f"--out {shown(out)} is the recording itself, which is kept. Give another name."
        )
