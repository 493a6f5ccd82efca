"""Audio to a file: FLAC, WAV or MP3, with text inside, whole or not at all.

The file is written under another name in the same folder and renamed when it is complete, so a
full disk or a crash leaves no half song. The same samples and tags give the same bytes.
"""

import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple
from uuid import uuid4

import av
import av.error
import numpy as np
import torch
from torch import Tensor

from ..constants import SAMPLE_RATE
from ..errors import SaveError
from . import tags
from .waveform import check

BITRATES: Final = (96, 112, 128, 160, 192, 224, 256, 320)  # kbit/s; below it is not music
LAYOUTS: Final = {1: "mono", 2: "stereo"}  # FFmpeg's names by the number of channels
REPEATABLE: Final = {"fflags": "+bitexact"}  # no encoder's version and no time in the file

logger = logging.getLogger(__name__)


class Codec(NamedTuple):
    """How FFmpeg writes an encoding."""

    container: str
    codec: str
    samples: str  # sample format of a frame: s16 and s32 interleaved, flt and fltp floats
    bits: int | None  # of a whole-number sample; None where samples stay floats


class Encoding(Enum):
    """How samples are kept."""

    FLAC_16 = Codec("flac", "flac", "s16", 16)
    FLAC_24 = Codec("flac", "flac", "s32", 24)
    WAV_16 = Codec("wav", "pcm_s16le", "s16", 16)
    WAV_24 = Codec("wav", "pcm_s24le", "s32", 24)
    WAV_FLOAT = Codec("wav", "pcm_f32le", "flt", None)
    MP3 = Codec("mp3", "libmp3lame", "fltp", None)

    @property
    def suffix(self) -> str:
        return f".{self.value.container}"

    @property
    def bits(self) -> int | None:
        """Bits of a whole-number sample; None where samples stay floats."""
        return self.value.bits


@dataclass(frozen=True, slots=True)
class FileFormat:
    """An encoding, and for MP3 its constant bitrate in kbit/s.

    Raises:
        SaveError: the bitrate is none of `BITRATES`.
    """

    encoding: Encoding = Encoding.FLAC_24
    bitrate: int = 320

    def __post_init__(self) -> None:
        if self.bitrate not in BITRATES:
            raise SaveError(
                f"MP3 is not written at {self.bitrate} kbit/s. Choose one of "
                f"{', '.join(map(str, BITRATES))}."
            )


def save(
    path: Path,
    audio: Tensor,
    form: FileFormat,
    texts: Mapping[str, str] | None = None,
    rate: int = SAMPLE_RATE,
) -> None:
    """Write one item [C, N] to `path`, with `texts` as tags. An existing file is replaced.

    Raises:
        InvalidAudioError: the audio is empty or not finite.
        SaveError: it cannot be written, or not so; `path` is then as it was before.
    """
    check(audio[None], rate)
    _warn_of_clipping(path, audio, form.encoding)
    try:
        with tempfile.TemporaryFile(buffering=0, dir=path.parent) as encoded:
            _encode(encoded, audio, form, rate)
            _replace(path, encoded, texts or {})
    except (av.error.FFmpegError, KeyError) as error:
        raise SaveError(
            f"{path.name}: {form.encoding.name} cannot hold {audio.shape[0]} channels at {rate} "
            f"Hz. Choose FLAC or WAV, or convert to stereo at {SAMPLE_RATE} Hz."
        ) from error
    except OSError as error:
        raise SaveError(
            f"{path.name} cannot be written to {path.parent}: {error.strerror or error}. Make room "
            "or choose a folder that exists and may be written to, and save again."
        ) from error


def _replace(path: Path, encoded: BinaryIO, texts: Mapping[str, str]) -> None:
    """Put `encoded` with its tags at `path` in one step."""
    partial = path.with_name(f".{uuid4().hex}.partial")
    try:
        with partial.open("xb") as file:
            tags.write(encoded, file, texts)
        partial.replace(path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise


class _Sink:
    """An unbuffered file for FFmpeg, whose callbacks carry no exception: it is kept here."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.failure: OSError | None = None
        self.seek, self.tell = file.seek, file.tell

    def write(self, data: bytes) -> int:
        left = memoryview(data)
        try:
            while self.failure is None and left:
                left = left[self.file.write(left) :]  # a disk may take only a part
        except OSError as error:
            self.failure = error
        return len(data)

    def check(self) -> None:
        if self.failure is not None:
            raise self.failure


def _encode(file: BinaryIO, audio: Tensor, form: FileFormat, rate: int) -> None:
    """A second at a time, so that memory stays small."""
    codec, layout = form.encoding.value, LAYOUTS[audio.shape[0]]
    sink = _Sink(file)
    with av.open(sink, "w", format=codec.container, options=REPEATABLE) as output:
        stream: Any = output.add_stream(codec.codec, rate=rate, layout=layout)
        stream.codec_context.format = codec.samples
        if form.encoding is Encoding.MP3:
            stream.codec_context.bit_rate = form.bitrate * 1000
        for place, block in enumerate(audio.split(rate, dim=1)):
            frame = av.AudioFrame.from_ndarray(_samples(block, codec), codec.samples, layout)
            frame.sample_rate, frame.pts = rate, place * rate
            output.mux(stream.encode(frame))
            sink.check()
        output.mux(stream.encode(None))
    sink.check()  # closing writes, too


def _samples(block: Tensor, codec: Codec) -> np.ndarray:
    """[C, n] as a frame of FFmpeg holds it: [C, n] of a planar format, else [1, n * C]; floats, or
    whole numbers in the top `codec.bits` bits."""
    block = block.detach().float().cpu()
    if codec.samples == "fltp":
        return block.contiguous().numpy()
    block = block.T.reshape(1, -1)  # interleaved
    if codec.bits is None:
        return block.contiguous().numpy()
    scale = 2 ** (codec.bits - 1)
    whole = (block * scale).round().clamp(-scale, scale - 1).to(torch.int32)
    return whole.to(torch.int16).numpy() if codec.bits == 16 else (whole << 8).numpy()


def _warn_of_clipping(path: Path, audio: Tensor, encoding: Encoding) -> None:
    over = int((audio.abs() > 1).sum())
    if over and encoding is not Encoding.WAV_FLOAT:
        logger.warning(
            "%s: %d of %d samples exceed full scale and clip. Limit the peak first, or save WAV in "
            "32-bit float.",
            path.name,
            over,
            audio.numel(),
        )
