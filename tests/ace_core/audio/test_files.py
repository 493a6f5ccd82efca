"""Audio files: what a saved one holds and what no failure leaves behind; what is read from one."""

import logging
import resource
import struct
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import torch

from ace_core.audio import files, tags
from ace_core.audio.files import BITRATES, Encoding, FileFormat, read_audio, save
from ace_core.errors import InvalidAudioError, SaveError
from tests.foreign_sound import write_aac

RATE = 48_000
KINDS = {  # container and subtype as libsndfile, another reader, names them
    Encoding.FLAC_16: ("FLAC", "PCM_16"),
    Encoding.FLAC_24: ("FLAC", "PCM_24"),
    Encoding.WAV_16: ("WAV", "PCM_16"),
    Encoding.WAV_24: ("WAVEX", "PCM_24"),
    Encoding.WAV_FLOAT: ("WAV", "FLOAT"),
    Encoding.MP3: ("MP3", "MPEG_LAYER_III"),
    Encoding.OPUS: ("OGG", "OPUS"),
}
LOSSLESS = [encoding for encoding in Encoding if not encoding.lossy]
LOSSY = [encoding for encoding in Encoding if encoding.lossy]


def song(samples: int = RATE + 321) -> torch.Tensor:
    generator = torch.Generator().manual_seed(4)
    return torch.rand(2, samples, generator=generator) * 1.8 - 0.9


def path_for(encoding: Encoding, folder: Path) -> Path:
    return folder / f"song{encoding.suffix}"


@pytest.mark.parametrize("encoding", KINDS)
def test_a_file_has_the_promised_container_subtype_rate_and_length(
    encoding: Encoding, tmp_path: Path
):
    path = path_for(encoding, tmp_path)
    save(path, song(), FileFormat(encoding), {"title": "Song"})
    info = soundfile.info(str(path))
    assert (info.format, info.subtype) == KINDS[encoding]
    assert (info.samplerate, info.channels, info.frames) == (RATE, 2, RATE + 321)
    assert tags.read(path) == {"title": "Song"}
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


def test_an_m4a_holds_aac_its_tags_and_its_exact_length(tmp_path: Path):
    """libsndfile reads none; FFmpeg plays the last frame, of 1024 samples, to its end."""
    path = tmp_path / "song.m4a"
    fields = {"title": "Lied ü", "description": "calm", "workflow": '{"a": "\\u00fc"}', "own": "1"}
    save(path, song(), FileFormat(Encoding.AAC), fields)
    with av.open(path) as container:
        stream = container.streams.audio[0]
        assert (stream.codec_context.name, stream.rate, stream.channels) == ("aac", RATE, 2)
        packets = [packet for packet in container.demux(stream) if packet.duration]
        assert (packets[-1].pts or 0) + (packets[-1].duration or 0) == RATE + 321
        assert container.duration == pytest.approx((RATE + 321) / RATE * 1e6, abs=1)
    assert 0 <= read_audio(path)[0].shape[-1] - (RATE + 321) < 1024
    assert tags.read(path) == fields
    assert [file.name for file in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("encoding", LOSSY)
@pytest.mark.parametrize("channels", [1, 2])
def test_a_lossy_file_keeps_time_level_and_channels(
    encoding: Encoding, channels: int, tmp_path: Path
):
    """Each channel has the tone it was given, not a sample late, and as loud to 0.1 dB."""
    times = torch.arange(2 * RATE + 321) / RATE
    tones = [0.5 * torch.sin(times * 2764.6), 0.25 * torch.sin(times * 4146.9)]
    audio = torch.stack(tones[:channels])
    path = path_for(encoding, tmp_path)
    save(path, audio, FileFormat(encoding, 256))
    read, rate = read_audio(path)
    assert rate == RATE
    assert read.shape[:2] == (1, channels)
    ends = 4_800  # where a tone begins at once
    kept = read[0, :, ends : audio.shape[-1] - ends]
    products = [
        (kept * audio[:, ends + lag : ends + lag + kept.shape[-1]]).sum(dim=1)
        for lag in range(-3, 4)
    ]
    assert torch.stack(products).argmax(dim=0).tolist() == [3] * channels  # no delay at all
    gain = products[3] / (audio[:, ends:-ends] ** 2).sum(dim=1)
    torch.testing.assert_close(gain, torch.ones(channels), rtol=0, atol=0.01)


@pytest.mark.parametrize("encoding", [Encoding.OPUS, Encoding.AAC])
def test_a_lower_bitrate_is_a_smaller_file(encoding: Encoding, tmp_path: Path):
    sizes = []
    for bitrate in (96, 256):
        path = path_for(encoding, tmp_path)
        save(path, song(4 * RATE), FileFormat(encoding, bitrate), replace=True)
        sizes.append(path.stat().st_size * 8 / 4 / 1000)
    assert sizes == pytest.approx([96, 256], rel=0.15)


def test_a_format_without_its_encoder_is_refused_by_name(tmp_path: Path, monkeypatch):
    codec = Encoding.OPUS.value._replace(codec="libnowhere")
    monkeypatch.setattr(Encoding.OPUS, "_value_", codec)
    with pytest.raises(SaveError, match=r"OPUS cannot be written.*no encoder libnowhere"):
        save(tmp_path / "song.opus", song(10), FileFormat(Encoding.OPUS))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("encoding", LOSSLESS)
def test_samples_are_kept_to_half_a_step(encoding: Encoding, tmp_path: Path):
    path = path_for(encoding, tmp_path)
    save(path, song(), FileFormat(encoding))
    kept = torch.from_numpy(soundfile.read(str(path), dtype="float64")[0]).T
    half_step = 0.0 if encoding.bits is None else 2.0**-encoding.bits
    assert (kept - song().double()).abs().max() <= half_step


@pytest.mark.parametrize("encoding", LOSSLESS)
def test_what_was_read_is_saved_again_bit_for_bit(encoding: Encoding, tmp_path: Path):
    first, second = path_for(encoding, tmp_path), tmp_path / f"again{encoding.suffix}"
    save(first, song(), FileFormat(encoding))
    save(
        second,
        torch.from_numpy(soundfile.read(str(first), dtype="float32")[0].T),
        FileFormat(encoding),
    )
    assert first.read_bytes() == second.read_bytes()


def test_the_same_song_gives_the_same_bytes_at_any_hour(tmp_path: Path):
    encodings = list(Encoding)
    before = []
    for encoding in encodings:
        path = path_for(encoding, tmp_path)
        save(path, song(), FileFormat(encoding), {"caption": "x"}, replace=True)
        before.append(path.read_bytes())
    time.sleep(1.1)  # a WAV may hold the second it was written in
    for encoding, expected in zip(encodings, before, strict=True):
        path = path_for(encoding, tmp_path)
        save(path, song(), FileFormat(encoding), {"caption": "x"}, replace=True)
        assert path.read_bytes() == expected


@pytest.mark.parametrize("bitrate", BITRATES)
def test_an_mp3_has_its_bitrate(bitrate: int, tmp_path: Path):
    path = tmp_path / "song.mp3"
    save(path, song(2 * RATE), FileFormat(Encoding.MP3, bitrate))
    table = [0, 32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320]  # MPEG-1 layer III
    data = path.read_bytes()
    assert data[:2] == b"\xff\xfb"
    first = 144_000 * table[data[2] >> 4] // RATE  # its length; the first frame is LAME's table
    assert table[data[first + 2] >> 4] == bitrate


def test_full_scale_is_not_clipping(tmp_path: Path, caplog):
    audio = torch.tensor([[1.0, -1.0, 0.5]]).repeat(2, 1)
    with caplog.at_level(logging.WARNING):
        save(tmp_path / "song.flac", audio, FileFormat(Encoding.FLAC_16))
    assert not caplog.records
    kept = soundfile.read(str(tmp_path / "song.flac"), dtype="int16")[0]
    assert kept[:, 0].tolist() == [32767, -32768, 16384]


def test_clipping_is_counted_aloud_and_does_not_wrap(tmp_path: Path, caplog):
    audio = torch.tensor([[1.5, -3.0, 0.25]]).repeat(2, 1)
    with caplog.at_level(logging.WARNING):
        save(tmp_path / "song.wav", audio, FileFormat(Encoding.WAV_24))
    assert "4 of 6 samples exceed full scale" in caplog.text
    kept = soundfile.read(str(tmp_path / "song.wav"), dtype="float64")[0]
    assert kept[:, 0].tolist() == [1 - 2.0**-23, -1.0, 0.25]


def test_float_keeps_what_exceeds_full_scale_in_silence(tmp_path: Path, caplog):
    audio = torch.tensor([[1.5, -3.0, 0.25]]).repeat(2, 1)
    with caplog.at_level(logging.WARNING):
        save(tmp_path / "song.wav", audio, FileFormat(Encoding.WAV_FLOAT))
    assert not caplog.records
    kept = soundfile.read(str(tmp_path / "song.wav"), dtype="float32")[0]
    assert kept[:, 1].tolist() == [1.5, -3.0, 0.25]


@contextmanager
def disk_with_room_for(size: int) -> Iterator[None]:
    """The system refuses to let any file of this process grow beyond `size` bytes."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("encoding", Encoding)
@pytest.mark.parametrize("room", [0, 20_000])
def test_a_full_disk_is_an_error_and_leaves_no_half_file(
    encoding: Encoding, room: int, tmp_path: Path
):
    with disk_with_room_for(room), pytest.raises(SaveError, match="cannot be written"):
        save(path_for(encoding, tmp_path), song(2 * RATE), FileFormat(encoding))
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_with_the_last_write_leaves_no_half_file(tmp_path: Path):
    """A thousand samples are less than FLAC's block: all of them are written when it closes."""
    with disk_with_room_for(1_000), pytest.raises(SaveError, match="cannot be written"):
        save(tmp_path / "song.flac", song(1_000), FileFormat())
    assert list(tmp_path.iterdir()) == []


def test_a_disk_that_fills_up_with_the_tags_leaves_no_half_file(tmp_path: Path):
    caption = {"caption": "x" * 60_000}
    with disk_with_room_for(50_000), pytest.raises(SaveError, match="cannot be written"):
        save(tmp_path / "song.flac", song(1000), FileFormat(), caption)
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_leaves_the_file_that_was_there(tmp_path: Path):
    path = tmp_path / "song.flac"
    save(path, song(), FileFormat())
    before = path.read_bytes()
    with disk_with_room_for(20_000), pytest.raises(SaveError):
        save(path, song(2 * RATE), FileFormat())
    assert path.read_bytes() == before


def test_a_missing_folder_is_refused(tmp_path: Path):
    with pytest.raises(SaveError, match=r"song\.flac cannot be written to .*nowhere"):
        save(tmp_path / "nowhere" / "song.flac", song(10), FileFormat())


@pytest.mark.parametrize(
    ("encoding", "channels", "rate", "most"),
    [
        (Encoding.OPUS, 1, 48_000, 256),
        (Encoding.AAC, 1, 48_000, 288),
        (Encoding.AAC, 2, 16_000, 192),
    ],
)
def test_a_bitrate_beyond_the_codec_s_is_refused_and_not_lowered(
    encoding: Encoding, channels: int, rate: int, most: int, tmp_path: Path
):
    path = path_for(encoding, tmp_path)
    with pytest.raises(SaveError, match=f"at most {most} kbit/s .*is 320. Choose a lower"):
        save(path, song()[:channels], FileFormat(encoding), rate=rate)
    save(path, song()[:channels], FileFormat(encoding, 160), rate=rate)


def test_a_rate_that_opus_does_not_know_is_refused(tmp_path: Path):
    with pytest.raises(SaveError, match=r"OPUS cannot hold 2 channels at 44100 Hz"):
        save(tmp_path / "song.opus", song(1000), FileFormat(Encoding.OPUS), rate=44_100)
    assert list(tmp_path.iterdir()) == []


def test_a_rate_that_mp3_does_not_know_is_refused(tmp_path: Path):
    with pytest.raises(SaveError, match=r"MP3 cannot hold 2 channels at 96000 Hz"):
        save(tmp_path / "song.mp3", song(1000), FileFormat(Encoding.MP3), rate=96_000)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("bitrate", [0, 32, 100, 321])
def test_a_bitrate_that_mp3_does_not_know_is_refused(bitrate: int):
    with pytest.raises(SaveError, match=rf"not written at {bitrate} kbit/s.*320"):
        FileFormat(Encoding.MP3, bitrate)


def test_empty_and_broken_audio_is_refused(tmp_path: Path):
    with pytest.raises(InvalidAudioError, match="empty"):
        save(tmp_path / "song.flac", torch.zeros(2, 0), FileFormat())
    with pytest.raises(InvalidAudioError, match="NaN"):
        save(tmp_path / "song.flac", torch.full((2, 9), torch.nan), FileFormat())
    assert list(tmp_path.iterdir()) == []


READ_RATE = 44_100


def sound(channels: int = 2, samples: int = 30_011) -> np.ndarray:
    """[C, N], not loud enough to clip."""
    return np.random.default_rng(1).uniform(-0.9, 0.9, (channels, samples)).astype(np.float32)


@pytest.mark.parametrize(
    "name", ["PCM_U8.wav", "PCM_16.wav", "PCM_24.wav", "FLOAT.wav", "DOUBLE.wav", "PCM_24.flac"]
)
def test_samples_are_those_that_libsndfile_reads(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    soundfile.write(path, sound().T, READ_RATE, path.stem)
    expected, _ = soundfile.read(path, dtype="float32")
    samples, rate = read_audio(path)
    assert rate == READ_RATE
    assert torch.equal(samples, torch.from_numpy(expected.T.copy())[None])


@pytest.mark.parametrize("channels", [1, 2, 6])
def test_channels_stay_apart_and_in_order(tmp_path: Path, channels: int) -> None:
    soundfile.write(tmp_path / "song.wav", sound(channels).T, READ_RATE, "FLOAT")
    samples, _ = read_audio(tmp_path / "song.wav")
    assert torch.equal(samples, torch.from_numpy(sound(channels))[None])


def test_an_mp3_begins_and_ends_where_its_sound_does(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "song.mp3", sound().T, READ_RATE)
    expected, _ = soundfile.read(tmp_path / "song.mp3", dtype="float32")
    samples, _ = read_audio(tmp_path / "song.mp3")
    assert samples.shape[-1] == len(expected)
    assert (samples[0].numpy().T - expected).max() < 1e-3  # two decoders


@pytest.mark.parametrize("name", ["song.m4a", "song.aac", "film.mp4"])
def test_the_sound_of_an_m4a_an_aac_and_a_video_is_read(tmp_path: Path, name: str) -> None:
    time = np.arange(READ_RATE) / READ_RATE
    tone = (0.5 * np.sin(2 * np.pi * 440 * time)).astype(np.float32)[None]
    write_aac(tmp_path / name, tone, READ_RATE, video=name.endswith("mp4"))
    samples, rate = read_audio(tmp_path / name)
    assert rate == READ_RATE
    spectrum = samples[0, 0, : READ_RATE // 2].numpy()
    assert np.abs(np.fft.rfft(spectrum)).argmax() * 2 == 440
    assert samples.shape[-1] / rate == pytest.approx(1.0, abs=0.06)  # AAC pads to whole frames


@pytest.mark.parametrize("content", [b"", b"hello there" * 40])
def test_what_is_no_sound_is_refused_with_the_kinds_that_are(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "song.wav").write_bytes(content)
    with pytest.raises(InvalidAudioError, match=r"no audio that can be read.*Give WAV, FLAC"):
        read_audio(tmp_path / "song.wav")


def test_a_video_without_sound_is_refused_by_its_lack(tmp_path: Path) -> None:
    with av.open(tmp_path / "film.mp4", "w") as output:
        film = output.add_stream("mpeg4", rate=25, width=16, height=16, pix_fmt="yuv420p")
        picture = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), "rgb24")
        output.mux([*film.encode(picture), *film.encode(None)])
    with pytest.raises(InvalidAudioError, match="it holds no sound"):
        read_audio(tmp_path / "film.mp4")


def test_a_missing_file_is_refused_with_the_folder_it_was_looked_for_in(tmp_path: Path) -> None:
    with pytest.raises(InvalidAudioError, match="there is no such file"):
        read_audio(tmp_path / "nowhere.wav")


@pytest.mark.parametrize("format_tag", [0x0000, 0x1234, 0xFFFE])
def test_a_format_without_a_decoder_is_named_as_one(tmp_path: Path, format_tag: int):
    path = tmp_path / "strange.wav"
    sound = bytes(400)
    header = struct.pack("<IHHIIHH", 16, format_tag, 1, 8_000, 16_000, 2, 16)
    body = b"WAVEfmt " + header + b"data" + struct.pack("<I", len(sound)) + sound
    path.write_bytes(b"RIFF" + struct.pack("<I", len(body)) + body)
    with pytest.raises(InvalidAudioError, match=r"strange\.wav: FFmpeg has no decoder"):
        read_audio(path)


@pytest.mark.parametrize("encoding", Encoding)
def test_a_song_is_encoded_second_by_second(
    encoding: Encoding, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is computed beside the song's own samples is a second of it, however long it is."""
    whole, blocks = song(3 * RATE + 321), []
    as_samples = files._samples

    def counted(block: torch.Tensor, *codec: files.Codec) -> np.ndarray:
        blocks.append(block.shape[1])
        assert block.untyped_storage().data_ptr() == whole.untyped_storage().data_ptr()  # no copy
        return as_samples(block, *codec)

    monkeypatch.setattr(files, "_samples", counted)
    save(path_for(encoding, tmp_path), whole, FileFormat(encoding))
    assert blocks == [RATE, RATE, RATE, 321]
