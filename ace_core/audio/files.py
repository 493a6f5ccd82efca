"""Audio files: written as FLAC, WAV, MP3, Opus or AAC with tags, and read as ComfyUI's Load Audio
reads them.

The same samples and tags give the same bytes. `writing` puts them into files, so that a full disk
or a crash leaves no partial song.
"""

import logging
import os
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any, BinaryIO, Final, NamedTuple

import av
import av.codec
import av.container
import av.error
import numpy as np
import torch
from torch import Tensor

from ..constants import LONGEST_SECONDS, SAMPLE_RATE
from ..errors import InvalidAudioError, SaveError
from ..texts import shown
from ..writing import Content, write_file
from . import tags
from .waveform import MOST_CHANNELS, check_rate, check_waveform

BITRATES: Final = (96, 112, 128, 160, 192, 224, 256, 320)  # kbit/s
LAYOUTS: Final = {1: "mono", 2: "stereo"}  # FFmpeg's names by the number of channels
BIT_EXACT: Final = {"fflags": "+bitexact"}  # no encoder version and no time in the file

MOST_READ: Final = 2**28  # numbers, 1 GB: ten minutes at 192 kHz in stereo are 0.9

logger = logging.getLogger(__name__)


class Codec(NamedTuple):
    """FFmpeg's settings for an encoding."""

    container: str
    codec: str
    samples: str  # sample format of a frame: s16, s32 and flt interleaved, fltp planar
    bits: int | None  # per integer sample; None for float samples
    ending: str = ""  # of a file's name, where it is not the container


class Encoding(Enum):
    """How samples are stored."""

    FLAC_16 = Codec("flac", "flac", "s16", 16)
    FLAC_24 = Codec("flac", "flac", "s32", 24)
    WAV_16 = Codec("wav", "pcm_s16le", "s16", 16)
    WAV_24 = Codec("wav", "pcm_s24le", "s32", 24)
    WAV_FLOAT = Codec("wav", "pcm_f32le", "flt", None)
    MP3 = Codec("mp3", "libmp3lame", "fltp", None)
    OPUS = Codec("opus", "libopus", "flt", None)  # in Ogg
    AAC = Codec("ipod", "aac", "fltp", None, "m4a")  # in MPEG-4, which stores its exact length

    @property
    def suffix(self) -> str:
        return f".{self.value.ending or self.value.container}"

    @property
    def lossy(self) -> bool:
        return self in (Encoding.MP3, Encoding.OPUS, Encoding.AAC)

    @property
    def bits(self) -> int | None:
        """Bits per integer sample; None for float samples."""
        return self.value.bits


TAGGED_BY_FFMPEG: Final = (Encoding.OPUS, Encoding.AAC)


@dataclass(frozen=True, slots=True)
class FileFormat:
    """An encoding, and the bitrate in kbit/s of a lossy one: constant in MP3, a mean in the others.

    Raises:
        SaveError: the bitrate is not in `BITRATES`.
    """

    encoding: Encoding = Encoding.FLAC_24
    bitrate: int = 320

    def __post_init__(self) -> None:
        if self.bitrate not in BITRATES:
            raise SaveError(
                f"Audio is not written at {self.bitrate} kbit/s. Choose one of "
                f"{', '.join(map(str, BITRATES))}."
            )


def check_encoder(encoding: Encoding) -> None:
    """
    Raises:
        SaveError: the FFmpeg of the installed PyAV was built without the encoder.
    """
    try:
        av.codec.Codec(encoding.value.codec, "w")
    except ValueError as error:
        raise SaveError(
            f"{encoding.name} cannot be written: the FFmpeg of PyAV {av.__version__} has no "
            f"encoder {encoding.value.codec}. Choose FLAC or WAV, or install PyAV's own build "
            "(package av)."
        ) from error


def _check_bitrate(form: FileFormat, channels: int, rate: int) -> None:
    """
    Raises:
        SaveError: the encoding has no such bitrate for so many channels.
    """
    most = {Encoding.OPUS: 256_000, Encoding.AAC: 6 * rate}.get(form.encoding)  # per channel
    if most is not None and form.bitrate * 1000 > most * channels:
        raise SaveError(
            f"{form.encoding.name} takes at most {most * channels // 1000} kbit/s for {channels} "
            f"channel{'s' if channels > 1 else ''} at {rate} Hz, but the bitrate is "
            f"{form.bitrate}. Choose a lower one."
        )


def save(
    path: Path,
    audio: Tensor,
    form: FileFormat,
    texts: Mapping[str, str] | None = None,
    rate: int = SAMPLE_RATE,
    replace: bool = False,
) -> None:
    """Write one item [C, N] to `path`, with `texts` as tags.

    Raises:
        InvalidAudioError: the audio is empty or not finite.
        SaveError: it cannot be written, or not in this format, or `path` is there and is not to be
            replaced; the folder is then unchanged.
    """
    write_file(path, audio_content(path.name, audio, form, texts, rate), replace)


def audio_content(
    name: str,
    audio: Tensor,
    form: FileFormat,
    texts: Mapping[str, str] | None = None,
    rate: int = SAMPLE_RATE,
) -> Content:
    """What writes one item [C, N] to a file that is called `name` in messages.

    Raises:
        InvalidAudioError: the audio is empty or not finite.
        SaveError: the tags cannot be written, or there is no encoder, or not for this bitrate.
    """
    check_waveform(audio[None], rate)
    check_encoder(form.encoding)
    _check_bitrate(form, audio.shape[0], rate)
    tags.check(texts or {})
    _warn_of_clipping(name, audio, form.encoding)

    def write(file: BinaryIO) -> None:
        try:
            if form.encoding in TAGGED_BY_FFMPEG:
                named = tags.comments_of if form.encoding is Encoding.OPUS else tags.fields_of
                _encode(file, audio, form, rate, named(texts or {}))
                return
            with tempfile.TemporaryFile(buffering=0, dir=Path(file.name).parent) as encoded:
                _encode(encoded, audio, form, rate)
                tags.write(encoded, file, texts or {})
        except (av.error.FFmpegError, KeyError) as error:
            raise SaveError(
                f"{shown(name)}: {form.encoding.name} cannot hold {audio.shape[0]} channels at "
                f"{rate} Hz. Choose FLAC or WAV, or convert to stereo at {SAMPLE_RATE} Hz."
            ) from error

    return write


class _Sink:
    """An unbuffered file for FFmpeg, which drops exceptions of callbacks; `failure` keeps one."""

    def __init__(self, file: BinaryIO) -> None:
        self.file = file
        self.failure: OSError | None = None
        self.seek, self.tell = file.seek, file.tell

    def write(self, data: bytes) -> int:
        left = memoryview(data)
        try:
            while self.failure is None and left:
                left = left[self.file.write(left) :]  # a write may be partial
        except OSError as error:
            self.failure = error
        return len(data)

    def raise_failure(self) -> None:
        if self.failure is not None:
            raise self.failure


def _encode(
    file: BinaryIO,
    audio: Tensor,
    form: FileFormat,
    rate: int,
    fields: Mapping[str, str] | None = None,
) -> None:
    """Encode one second at a time, so that memory stays small; FFmpeg writes `fields` as tags."""
    codec, layout = form.encoding.value, LAYOUTS[audio.shape[0]]
    sink = _Sink(file)
    options = dict(BIT_EXACT)
    if form.encoding is Encoding.AAC:  # tags of any name; the length in samples, not milliseconds
        options |= {"movflags": "use_metadata_tags", "movie_timescale": str(rate)}
    with av.open(sink, "w", format=codec.container, options=options) as output:
        output.metadata.update(fields or {})
        stream: Any = output.add_stream(codec.codec, rate=rate, layout=layout)
        stream.codec_context.format = codec.samples
        if form.encoding.lossy:
            stream.codec_context.bit_rate = form.bitrate * 1000
        for index, block in enumerate(audio.split(rate, dim=1)):
            frame = av.AudioFrame.from_ndarray(_samples(block, codec), codec.samples, layout)
            frame.sample_rate, frame.pts = rate, index * rate
            output.mux(stream.encode(frame))
            sink.raise_failure()
        output.mux(stream.encode(None))
    sink.raise_failure()  # closing writes, too


def _samples(block: Tensor, codec: Codec) -> np.ndarray:
    """[C, n] as a frame of FFmpeg: [C, n] in a planar format, else [1, n * C]; floats, or integers
    in the top `codec.bits` bits."""
    block = block.detach().float().cpu()
    if codec.samples == "fltp":
        return block.contiguous().numpy()
    block = block.T.reshape(1, -1)  # interleaved
    if codec.bits is None:
        return block.contiguous().numpy()
    scale = 2 ** (codec.bits - 1)
    integers = (block * scale).round().clamp(-scale, scale - 1).to(torch.int32)
    return integers.to(torch.int16).numpy() if codec.bits == 16 else (integers << 8).numpy()


def clipping_samples(audio: Tensor, encoding: Encoding) -> int:
    """How many samples of one item [C, N] are above full scale where the file holds no more."""
    return 0 if encoding is Encoding.WAV_FLOAT else int((audio.abs() > 1).sum())


def _warn_of_clipping(name: str, audio: Tensor, encoding: Encoding) -> None:
    over = clipping_samples(audio, encoding)
    if over:
        logger.warning(
            "%s: %d of %d samples exceed full scale and clip. Limit the peak first, or save WAV in "
            "32-bit float.",
            shown(name),
            over,
            audio.numel(),
        )


def read_audio(path: str | Path) -> tuple[Tensor, int]:
    """The first audio stream of the file at `path`, which may be a video, as [1, C, N] float32, and
    its rate.

    Raises:
        InvalidAudioError: there is no such file, or no audio in it that can be read.
    """
    path = Path(path)
    if not os.path.isfile(path):
        raise InvalidAudioError(
            f"{shown(path)}: there is no such file. Check the name, and that it is written for the "
            f"folder the program runs in ({Path.cwd()})."
        )
    try:
        with av.open(path) as container:
            blocks, rate = _decoded(container)
        samples = np.concatenate(blocks, axis=1) if blocks else None
    except InvalidAudioError as error:
        raise InvalidAudioError(f"{path}: {error}") from error
    except Exception as error:  # a damaged file may raise anything in FFmpeg's binding
        reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise _unreadable(path, reason) from error
    if samples is None or samples.size == 0:
        raise _unreadable(path, "it holds no sound")
    return torch.from_numpy(samples)[None], rate


def _decoded(container: av.container.InputContainer) -> tuple[list[np.ndarray], int]:
    """Blocks [C, n] in float32 and the rate; no blocks where there is no audio stream."""
    if not container.streams.audio:
        return [], 0
    stream = container.streams.audio[0]
    if stream.codec_context is None:
        raise InvalidAudioError(
            "FFmpeg has no decoder for its sound, or its header is damaged. Convert it to WAV or "
            "FLAC first."
        )
    check_rate(stream.rate)
    if stream.channels > MOST_CHANNELS:
        raise InvalidAudioError(
            f"It has {stream.channels} channels, but at most {MOST_CHANNELS} are read. Convert it "
            "to stereo first."
        )
    blocks: list[np.ndarray] = []
    most = min(LONGEST_SECONDS * stream.rate, MOST_READ / max(stream.channels, 1))
    read = 0
    for frame in _as_floats(container, stream):
        read += frame.samples
        if read > most:
            raise InvalidAudioError(
                f"It is longer than {most / stream.rate:.0f} seconds, but the models take at most "
                f"{LONGEST_SECONDS:g}. Give a shorter clip."
            )
        blocks.append(frame.to_ndarray())
    return blocks, stream.rate


def _as_floats(container: av.container.InputContainer, stream: Any) -> Iterator[av.AudioFrame]:
    """The frames of a stream in planar float32; rate and layout stay."""
    to_floats = av.AudioResampler(format="fltp")
    resampled = False
    for frame in container.decode(stream):
        resampled = True
        yield from to_floats.resample(frame)
    if resampled:
        yield from to_floats.resample(None)


def _unreadable(path: Path, reason: object) -> InvalidAudioError:
    return InvalidAudioError(
        f"{path}: this is no audio that can be read ({reason}). Give WAV, FLAC, MP3, Ogg, M4A or a "
        "video with sound; convert other formats first."
    )
