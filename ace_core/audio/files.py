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
from typing import BinaryIO, Final, cast
from uuid import uuid4

import numpy as np
import soundfile
import torch
from torch import Tensor

from ..constants import SAMPLE_RATE
from ..errors import SaveError
from . import tags
from .waveform import check

BITRATES: Final = (96, 112, 128, 160, 192, 224, 256, 320)  # kbit/s; below it is not music
MP3_RANGE: Final = (32, 320)  # kbit/s that libsndfile's scale spans

logger = logging.getLogger(__name__)


class Encoding(Enum):
    """How samples are kept. The value is libsndfile's container and subtype."""

    FLAC_16 = ("FLAC", "PCM_16")
    FLAC_24 = ("FLAC", "PCM_24")
    WAV_16 = ("WAV", "PCM_16")
    WAV_24 = ("WAV", "PCM_24")
    WAV_FLOAT = ("WAV", "FLOAT")
    MP3 = ("MP3", "MPEG_LAYER_III")

    @property
    def suffix(self) -> str:
        return f".{self.value[0].lower()}"

    @property
    def bits(self) -> int | None:
        """Bits of a whole-number sample; None where samples stay floats."""
        return {"PCM_16": 16, "PCM_24": 24}.get(self.value[1])


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
    except soundfile.LibsndfileError as error:
        raise SaveError(
            f"{path.name}: {form.encoding.name} cannot hold {audio.shape[0]} channels at {rate} Hz "
            f"({error.error_string}). Choose FLAC or WAV, or convert to stereo at {SAMPLE_RATE} Hz."
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
    """An unbuffered file for libsndfile, to which no exception can be told: it is kept here."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.failure: OSError | None = None
        self.seek, self.tell, self.read = file.seek, file.tell, file.read

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
    """A second at a time: libsndfile has crashed on whole songs, and memory stays small."""
    container, subtype = form.encoding.value
    mp3 = form.encoding is Encoding.MP3
    sink = _Sink(file)
    with soundfile.SoundFile(
        cast("BinaryIO", sink),  # it calls these four methods and no others
        "w",
        samplerate=rate,
        channels=audio.shape[0],
        format=container,
        subtype=subtype,
        compression_level=_compression(form.bitrate) if mp3 else None,
        bitrate_mode="CONSTANT" if mp3 else None,
    ) as output:
        for block in audio.split(rate, dim=1):
            output.write(_samples(block, form.encoding.bits))
            sink.check()
    sink.check()  # closing writes, too


def _compression(bitrate: int) -> float:
    """libsndfile's scale for MP3: 0 is 320 kbit/s, 1 is 32."""
    lowest, highest = MP3_RANGE
    return (highest - bitrate) / (highest - lowest)


def _samples(block: Tensor, bits: int | None) -> np.ndarray:
    """[C, n] as libsndfile takes it, [n, C]: floats, or whole numbers in the top `bits` of 32."""
    block = block.detach().float().cpu().T.contiguous()
    if bits is None:
        return block.numpy()
    scale = 2 ** (bits - 1)
    whole = (block * scale).round().clamp(-scale, scale - 1).to(torch.int32)
    return (whole << (32 - bits)).numpy()


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
