"""Load Recording: the user's file or an example, and nothing outside of the host's folders."""

from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import soundfile
import torch

from tests.nodes import music
from tools.hosts.checkout import ROOT
from tools.hosts.pack import Pack

EXAMPLES = sorted(path.name for path in (ROOT / "web" / "recordings").iterdir())
ID = "AceStep15LoadRecording"


@pytest.fixture
def loader(pack: Pack) -> Any:
    return pack.nodes[ID]


@pytest.fixture
def own(base_directory: Path) -> str:
    """A file of the user's in the input folder."""
    name = f"own_{uuid4().hex[:8]}.wav"
    music.write(base_directory / "input" / name, 0.5, 44_100, 1)
    return name


def options(loader: Any) -> list[str]:
    (audio,) = loader.define_schema().inputs
    return list(audio.options)


def test_the_examples_come_first_then_the_files_of_the_input_folder(
    loader: Any, own: str, base_directory: Path
) -> None:
    (base_directory / "input" / "words.txt").write_text("no sound")
    found = options(loader)
    assert found[: len(EXAMPLES)] == [f"{name} [example]" for name in EXAMPLES]
    assert own in found
    assert "words.txt" not in found


@pytest.mark.parametrize("name", EXAMPLES)
def test_an_example_is_the_file_of_the_pack(pack: Pack, name: str) -> None:
    prompt = {"1": {"class_type": ID, "inputs": {"audio": f"{name} [example]"}}}
    prompt["2"] = {"class_type": "AceStep15SaveAudio", "inputs": saving(["1", 0])}
    made = pack.host.run(prompt)
    assert made.complete, made.why()
    (audio,) = made.values["1"]
    samples, rate = soundfile.read(ROOT / "web" / "recordings" / name, dtype="float32")
    assert audio["sample_rate"] == 48_000
    assert list(audio["waveform"].shape) == [1, 2, 7.68 * 48_000]
    every = 48_000 // rate
    assert (audio["waveform"][0, :, ::every].T - torch.from_numpy(samples)).abs().max() < 0.02


def saving(audio: list[Any]) -> dict[str, Any]:
    given = {"filename_prefix": f"loaded_{uuid4().hex[:8]}/song", "format": "flac16"}
    return {"audio": audio, "bitrate": "320", **given}


def test_a_file_keeps_its_rate_and_its_channels(loader: Any, own: str) -> None:
    (audio,) = loader.execute(audio=own).result
    assert audio["sample_rate"] == 44_100
    assert list(audio["waveform"].shape) == [1, 1, 22_050]


def test_files_of_subfolders_and_of_the_output_folder_are_found(
    loader: Any, own: str, base_directory: Path
) -> None:
    sub, out = base_directory / "input" / "deep", base_directory / "output"
    sub.mkdir(exist_ok=True)
    content = (base_directory / "input" / own).read_bytes()
    (sub / own).write_bytes(content)
    (out / f"made_{own}").write_bytes(content)
    for name in (f"deep/{own}", f"made_{own} [output]", f"{own} [input]"):
        assert loader.validate_inputs(audio=name) is True
        (audio,) = loader.execute(audio=name).result
        assert audio["waveform"].shape[-1] == 22_050


@pytest.mark.parametrize(
    "name",
    ["gone.wav", "", "no.flac [example]", "../acestep15.js [example]", "../../secret.wav", "deep"],
)
def test_what_is_not_there_or_outside_is_refused_before_anything_runs(
    pack: Pack, loader: Any, name: str, base_directory: Path
) -> None:
    (base_directory / "secret.wav").write_bytes(b"RIFF")
    (base_directory / "input" / "deep").mkdir(exist_ok=True)
    said = loader.validate_inputs(audio=name)
    assert isinstance(said, str)
    assert repr(name)[1:-1] in said
    assert "press R to refresh" in said
    prompt = {"1": {"class_type": ID, "inputs": {"audio": name}}}
    prompt["2"] = {"class_type": "AceStep15SaveAudio", "inputs": saving(["1", 0])}
    made = pack.host.run(prompt)
    assert made.status == "refused"


def test_a_file_that_was_replaced_is_another_one(
    loader: Any, own: str, base_directory: Path
) -> None:
    first = loader.fingerprint_inputs(audio=own)
    assert loader.fingerprint_inputs(audio=own) == first
    music.write(base_directory / "input" / own, 0.7, 44_100, 1)
    assert loader.fingerprint_inputs(audio=own) != first


def test_a_wired_name_is_checked_when_it_is_known(loader: Any) -> None:
    assert loader.validate_inputs() is True
    assert loader.fingerprint_inputs() == ""
