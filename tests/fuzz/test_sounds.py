"""Fuzz targets: audio files, their tags, and the AUDIO, LATENT and SIGMAS of nodes of others."""

import io
import tempfile
from pathlib import Path
from typing import Any

import torch
from hypothesis import example
from hypothesis import strategies as st

from ace_core.audio import tags
from ace_core.audio.audio_dict import unpack_audio
from ace_core.audio.files import Encoding, FileFormat, read_audio, save
from ace_core.audio.waveform import LONGEST_AUDIO, model_audio, source_audio
from ace_core.constants import SAMPLE_RATE
from ace_core.errors import InvalidAudioError, InvalidRequestError, InvalidScheduleError, SaveError
from ace_core.latents import check_sigmas, latent_samples, mask_columns, noise_mask
from tests.fuzz.targets import NUMBERS, SCALARS, TEXTS, VALUES, damaged, fuzz, refuses, table_of

FOLDER = Path(tempfile.mkdtemp(prefix="fuzz"))
TAGS = {"lyrics": "la\nla", "title": "Süß", "prompt": '{"1": {}}'}


def _encoded(encoding: Encoding) -> bytes:
    path = FOLDER / f"good{encoding.suffix}"
    sound = torch.linspace(-1, 1, 2 * 4_800).reshape(2, -1).sin()
    save(path, sound, FileFormat(encoding), TAGS)
    return path.read_bytes()


FILES = {each: _encoded(each) for each in (Encoding.FLAC_16, Encoding.WAV_16, Encoding.MP3)}
ENCODED = st.sampled_from(list(FILES)).flatmap(
    lambda each: st.tuples(st.just(each.suffix), damaged(FILES[each]))
)


@fuzz(ENCODED)
@example((".wav", FILES[Encoding.WAV_16][:24] + b"\1\0\0\0" + FILES[Encoding.WAV_16][28:]))
@example((".wav", FILES[Encoding.WAV_16][:22] + b"\xff\xff" + FILES[Encoding.WAV_16][24:]))
def test_audio_files(file: tuple[str, bytes]) -> None:
    suffix, content = file
    path = FOLDER / f"damaged{suffix}"
    path.write_bytes(content)
    found = refuses(lambda: read_audio(path), InvalidAudioError, names=path.name)
    if found is not None:
        refuses(lambda: source_audio(*found), InvalidAudioError)


@fuzz(ENCODED)
def test_tags(file: tuple[str, bytes]) -> None:
    suffix, content = file
    path = FOLDER / f"tagged{suffix}"
    path.write_bytes(content)
    refuses(lambda: tags.read(path), InvalidAudioError, names=path.name)


@fuzz(st.dictionaries(TEXTS, st.text(max_size=20), max_size=3))
def test_written_tags(fields: dict[str, str]) -> None:
    source = io.BytesIO(FILES[Encoding.FLAC_16])
    refuses(lambda: tags.write(source, io.BytesIO(), fields), SaveError)


DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int16, torch.int32]
DTYPES += [torch.uint8, torch.int8, torch.int64, torch.bool, torch.complex64, torch.float8_e4m3fn]


@st.composite
def tensors(draw: st.DrawFn) -> torch.Tensor:
    shape = draw(
        st.lists(st.integers(0, 4), max_size=4)
        | st.tuples(st.integers(1, 2), st.sampled_from([1, 2, 64, 65]), st.integers(1, 600))
    )
    made = torch.full(tuple(shape), draw(st.sampled_from([0.0, 0.5, 1e30, float("nan")])))
    if made.numel() and draw(st.booleans()):
        made.view(-1)[draw(st.integers(0, made.numel() - 1))] = draw(st.floats(width=32))
    dtype = draw(st.sampled_from(DTYPES))
    whole = not (dtype.is_floating_point or dtype.is_complex)
    return (made.nan_to_num(0, 0, 0) if whole else made).to(dtype)


RATES = st.sampled_from([1, 1_000, 8_000, 44_100, 48_000, 44_100.0, 44_100.5, 768_000, 2**40])
AUDIO = table_of({"waveform": tensors(), "sample_rate": RATES})


@fuzz(AUDIO | VALUES)
@example({"waveform": torch.zeros(1, 1, 4_800), "sample_rate": 1})
@example({"waveform": torch.ones(1, 1, 9), "sample_rate": 44_100.5})
@example({"waveform": torch.ones(9, dtype=torch.int16), "sample_rate": 48_000})
@example({"sample_rate": 48_000})
@example({"waveform": torch.ones(1, 1, 9)})
def test_audio_of_nodes(audio: Any) -> None:
    found = refuses(lambda: unpack_audio(audio), InvalidAudioError)
    if found is not None:
        made = refuses(lambda: model_audio(*found), InvalidAudioError)
        assert made is None or made.shape[-1] <= LONGEST_AUDIO * SAMPLE_RATE
        assert made is None or bool(made.isfinite().all())


@fuzz(table_of({"samples": tensors()}) | VALUES)
def test_latents_of_nodes(latent: Any) -> None:
    samples = refuses(lambda: latent_samples(latent), InvalidRequestError)
    assert samples is None or bool(samples.isfinite().all())


@fuzz(st.lists(NUMBERS.map(float), max_size=4).map(torch.tensor) | tensors() | SCALARS)
@example(torch.zeros(2, dtype=torch.complex64))
def test_sigmas_of_nodes(sigmas: Any) -> None:
    refuses(lambda: check_sigmas(sigmas), InvalidScheduleError)


@fuzz(tensors() | SCALARS)
def test_masks_of_nodes(mask: Any) -> None:
    columns = refuses(lambda: mask_columns(mask), InvalidRequestError)
    assert columns is None or columns.shape == mask.shape[-1:]
    noised = refuses(lambda: noise_mask(mask), InvalidRequestError)
    assert noised is None or noised.dim() == 3
