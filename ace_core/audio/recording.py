"""A sound file on disk as samples."""

from pathlib import Path

import soundfile
import torch
from torch import Tensor

from ..errors import InvalidAudioError


def read_audio(path: str | Path) -> tuple[Tensor, int]:
    """The sound at `path` as [1, C, N] in float32, and its rate.

    Raises:
        InvalidAudioError: there is no such file, or it is no sound that can be read.
    """
    path = Path(path)
    if not path.is_file():
        raise InvalidAudioError(
            f"{path}: there is no such file. Check the name, and that it is written for the folder "
            f"the program runs in ({Path.cwd()})."
        )
    try:
        samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise InvalidAudioError(
            f"{path}: this is no sound that can be read ({error.error_string}) Give WAV, FLAC, MP3 "
            "or Ogg; other kinds must be converted first."
        ) from error
    return torch.from_numpy(samples.T.copy())[None], rate
