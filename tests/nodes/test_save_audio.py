"""Save Audio: the level and the fades of what it saves and passes on."""

import math
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import soundfile
import torch

from tests.nodes.lm_prompts import node, shown, song
from tests.nodes.music import write
from tools.hosts.host import Outcome
from tools.hosts.pack import Pack
from tools.workflows.graph import inputs_of

RATE = 48_000
BEFORE = {"filename_prefix": "level/take", "format": "wav32f", "bitrate": "320"}  # older workflows


@pytest.fixture(scope="module", autouse=True)
def recording(pack: Pack, models: Path, base_directory: Path) -> None:
    write(base_directory / "input" / "melody.wav", 6.0)


def run_node(node_class: Any, audio: dict[str, Any], prefix: str, form: str) -> Any:
    """What the node gives to the page, run by itself."""
    hidden = SimpleNamespace(prompt={}, extra_pnginfo=None, unique_id="1")
    copy = type(node_class.__name__, (node_class,), {"hidden": hidden})
    return copy.execute(audio, prefix, form, "320")


def saved(pack: Pack, extra: dict[str, Any] | None = None, **chosen: Any) -> Outcome:
    nodes = {
        **(extra or {}),
        "sound": {"class_type": "LoadAudio", "inputs": {"audio": "melody.wav"}},
        "save": node("SaveAudio", audio=["sound", 0], **BEFORE, **chosen),
        "out": shown("save", 0),
    }
    outcome = pack.host.run(nodes)
    assert outcome.complete, outcome.why()
    return outcome


def samples(outcome: Outcome, base_directory: Path) -> torch.Tensor:
    """The file that was saved, [C, N]."""
    (file,) = outcome.ui["save"]["audio"]
    path = base_directory / file["type"] / file["subfolder"] / file["filename"]
    return torch.from_numpy(soundfile.read(path, dtype="float32", always_2d=True)[0].T)


def test_what_an_older_workflow_saves_is_the_audio_bit_for_bit(
    pack: Pack, base_directory: Path
) -> None:
    outcome = saved(pack)
    source = outcome.values["sound"][0]["waveform"]
    assert torch.equal(samples(outcome, base_directory), source[0])
    assert torch.equal(outcome.values["save"][0]["waveform"], source)
    assert outcome.values["save"][0]["sample_rate"] == RATE


@pytest.mark.parametrize(
    "chosen",
    [
        {"normalization": "off", "normalization_db": -6.0, "normalization_lufs": -30.0},
        {"fade_in_duration": 0.0, "fade_out_duration": 0.0},
    ],
)
def test_what_is_off_changes_no_sample(
    pack: Pack, base_directory: Path, chosen: dict[str, Any]
) -> None:
    outcome = saved(pack, **chosen)
    source = outcome.values["sound"][0]["waveform"]
    assert torch.equal(samples(outcome, base_directory), source[0])


def test_the_peak_is_the_one_that_was_chosen(pack: Pack, base_directory: Path) -> None:
    found = samples(saved(pack, normalization="peak", normalization_db=-3.0), base_directory)
    assert float(found.abs().max()) == pytest.approx(10 ** (-3 / 20), rel=1e-6)


def test_the_file_the_page_and_the_output_have_the_loudness_that_was_chosen(
    pack: Pack, base_directory: Path
) -> None:
    outcome = saved(pack, normalization="loudness", normalization_lufs=-30.0)
    found = samples(outcome, base_directory)
    measured = pack.submodule("ace_core.audio.loudness").loudness(found, RATE)
    assert measured == pytest.approx(-30.0, abs=0.01)
    assert torch.equal(outcome.values["save"][0]["waveform"][0], found)
    (wave,) = outcome.ui["save"]["ace_step_waveforms"]
    assert '"loudness": -30.0' in wave


def test_the_fades_are_as_long_as_was_chosen(pack: Pack, base_directory: Path) -> None:
    outcome = saved(pack, fade_in_duration=1.0, fade_out_duration=2.0)
    found, source = samples(outcome, base_directory), outcome.values["sound"][0]["waveform"][0]
    n = source.shape[1]
    assert torch.equal(found[:, RATE : n - 2 * RATE], source[:, RATE : n - 2 * RATE])
    assert math.isclose(float(found[0, 0]), 0.0)
    half = RATE // 2
    torch.testing.assert_close(found[:, half], source[:, half] * half / (RATE - 1))


def test_the_node_says_loudness_and_true_peak_of_each_file(
    pack: Pack, base_directory: Path
) -> None:
    """A sine of 997 Hz at full scale on one side is -3.01 LUFS by the standard, both sides 0."""
    tone = torch.sin(torch.arange(3 * RATE) * (2 * math.pi * 997 / RATE))
    items = torch.stack([tone * 0.5, tone * 0.25])[:, None].repeat(1, 2, 1)
    schema = pack.nodes["AceStep15SaveAudio"]
    made = run_node(schema, {"waveform": items, "sample_rate": RATE}, "level/tone", "flac24")
    (text,) = made.ui["ace_step_text"]
    names = [each["filename"] for each in made.ui["audio"]]
    assert text.splitlines() == [
        f"{names[0]}: -6.0 LUFS, true peak -6.0 dBTP",
        f"{names[1]}: -12.0 LUFS, true peak -12.0 dBTP",
    ]


@pytest.mark.parametrize(("form", "clips"), [("flac16", True), ("wav32f", False)])
def test_the_node_says_what_clips(pack: Pack, form: str, clips: bool) -> None:
    sound = torch.zeros(1, 1, RATE)
    sound[0, 0, 100:103] = 1.5
    made = run_node(
        pack.nodes["AceStep15SaveAudio"],
        {"waveform": sound, "sample_rate": RATE},
        "level/loud",
        form,
    )
    (text,) = made.ui["ace_step_text"]
    assert text.endswith(", 3 samples clip") == clips


def test_a_silent_file_is_called_silent(pack: Pack) -> None:
    sound = {"waveform": torch.zeros(1, 2, RATE), "sample_rate": RATE}
    made = run_node(pack.nodes["AceStep15SaveAudio"], sound, "level/none", "flac16")
    assert made.ui["ace_step_text"][0].endswith(": silent")


@pytest.mark.parametrize(("title", "expected"), [("", "calm piano"), (" Rain ", "Rain")])
def test_the_title_is_the_one_that_was_written_or_the_caption(
    pack: Pack, base_directory: Path, title: str, expected: str
) -> None:
    outcome = saved(pack, song=["song", 0], title=title, extra={"song": song(bpm=90)})
    (file,) = outcome.ui["save"]["audio"]
    path = base_directory / file["type"] / file["subfolder"] / file["filename"]
    found = pack.submodule("ace_core.audio.tags").read(path)
    assert (found["title"], found["bpm"]) == (expected, "90")
    assert "prompt" in found


def test_no_stored_widget_stands_behind_the_player(pack: Pack) -> None:
    """The page stores no value of the player, but counts its place: what came behind it would get
    the value of the widget before."""
    for name, node_class in pack.nodes.items():
        kinds = [each.name for each in inputs_of(node_class)]
        if "audioUI" in kinds:
            assert kinds[-1] == "audioUI", name
