"""`measure RECORDING`: tempo, beats, key, meter and levels, as JSON, as text and as a picture."""

import argparse
from dataclasses import asdict
from functools import partial
from pathlib import Path

import torch
from PIL import Image
from torch import Tensor

from ..audio.files import read_audio
from ..errors import InvalidRequestError
from ..measure.measurement import measure
from ..measure.picture import measured_picture
from ..measure.report import lines
from ..measure.voice import Spans, check_same_music, phrase_lines, phrases
from ..texts import shown
from ..writing import write_file
from .options import check_there
from .output import Exit, Output, usage_errors


def run(arguments: argparse.Namespace, output: Output) -> Exit:
    with usage_errors():
        check_there(arguments.recording)
        if arguments.vocals is not None:
            check_there(arguments.vocals)
        _check_picture(arguments.picture)
    waveform, rate = read_audio(arguments.recording)
    sung = _sung(arguments.vocals, waveform, rate)
    found = measure(waveform[0], rate)
    path = str(arguments.recording)
    values, words = {"path": path, **asdict(found)}, [path, *lines(found)]
    if sung is not None:
        values["vocals"] = sung
        words += [f"  {line}" for line in phrase_lines(sung, found.seconds)]
    if arguments.picture is not None:
        _write(arguments.picture, measured_picture(waveform[0], rate, found, sung or ()))
        values["picture"] = str(arguments.picture)
    output.result(values, "\n".join(words))
    return Exit.DONE


def _check_picture(path: Path | None) -> None:
    if path is not None and path.suffix.lower() != ".png":
        raise InvalidRequestError(
            f"--picture {shown(path)} must be a file's name that ends with .png."
        )


def _sung(vocals: Path | None, waveform: Tensor, rate: int) -> Spans | None:
    if vocals is None:
        return None
    stem, stem_rate = read_audio(vocals)
    check_same_music(waveform, rate, stem, stem_rate)
    return phrases(stem[0], stem_rate)


def _write(path: Path, picture: Tensor) -> None:
    """[height, width, 3], 0 to 1; a file of that name is replaced."""
    image = Image.fromarray((picture * 255).round().to(torch.uint8).numpy())
    write_file(path, partial(image.save, format="PNG"), replace=True)
