"""A sound file on disk as samples, read as ComfyUI's Load Audio reads it."""

from pathlib import Path

import av
import av.container
import av.error
import numpy as np
import torch
from torch import Tensor

from ..errors import InvalidAudioError


def read_audio(path: str | Path) -> tuple[Tensor, int]:
    """The sound at `path` as [1, C, N] in float32, and its rate: the first sound of the file,
    which may be a video's.

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
        with av.open(path) as container:
            blocks, rate = _decoded(container)
    except (av.error.FFmpegError, EOFError, ValueError) as error:
        raise _unreadable(path, getattr(error, "strerror", None) or error) from error
    if not blocks:
        raise _unreadable(path, "it holds no sound")
    return torch.from_numpy(np.concatenate(blocks, axis=1))[None], rate


def _decoded(container: av.container.InputContainer) -> tuple[list[np.ndarray], int]:
    """Blocks [C, n] in float32 and the rate; no blocks where there is no sound."""
    if not container.streams.audio:
        return [], 0
    stream = container.streams.audio[0]
    to_floats = av.AudioResampler(format="fltp")  # rate and layout stay
    frames = [made for frame in container.decode(stream) for made in to_floats.resample(frame)]
    frames += to_floats.resample(None) if frames else []
    return [frame.to_ndarray() for frame in frames], stream.rate


def _unreadable(path: Path, why: object) -> InvalidAudioError:
    return InvalidAudioError(
        f"{path}: this is no sound that can be read ({why}). Give WAV, FLAC, MP3, Ogg, M4A or a "
        "video with sound; other kinds must be converted first."
    )
