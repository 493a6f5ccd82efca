"""The recordings that come with the pack: made by one command, read by the VAE, in workflows."""

import json

import pytest
import torch

from ace_core.audio.files import read_audio
from ace_core.audio.waveform import model_audio
from ace_core.constants import SAMPLE_RATE
from ace_core.measure.measurement import measure
from ace_core.models.vae import Oobleck
from ace_core.weights import load_vae
from tools.hosts.checkout import ROOT
from tools.miniature.codec.figures import read_roll
from tools.miniature.recordings import FOLDER, FRAMES, RECORDINGS, REQUEST, Recording
from tools.miniature.trained import TRAINED
from tools.miniature.world.piece import compose
from tools.workflows.flow_parts import BAND, BPM, CHORDS, TUNE
from tools.workflows.menu import page_path

ALL = 250_000  # bytes that they may take of the archive
STRUCK, GHOST = 0.3, 0.3  # of a stroke that is written, and of one that is not
NODE = "AceStep15LoadRecording"
each_recording = pytest.mark.parametrize("recording", RECORDINGS, ids=lambda each: each.name)


@pytest.fixture(scope="module")
def vae() -> Oobleck:
    return load_vae(TRAINED / "vae").float()


@each_recording
def test_the_command_makes_the_same_sound_again(recording: Recording) -> None:
    found, rate = read_audio(FOLDER / recording.name)
    assert rate == recording.rate
    torch.testing.assert_close(found[0], recording.audio(compose(REQUEST)), rtol=0, atol=2**-16)


@each_recording
def test_the_trained_vae_reads_each_of_its_strokes_and_no_other(
    vae: Oobleck, recording: Recording
) -> None:
    audio = model_audio(*read_audio(FOLDER / recording.name))
    with torch.no_grad():
        found = read_roll(vae, audio[0])
    written = recording.roll(compose(REQUEST))[: len(found)]
    loud = written > STRUCK
    assert loud.sum() >= 7
    assert found[loud].min() > 0.5 * STRUCK
    assert found[written == 0].max() < GHOST


def test_its_tempo_and_key_are_those_that_the_workflows_and_the_help_say() -> None:
    audio, rate = read_audio(FOLDER / RECORDINGS[0].name)
    found = measure(audio[0], rate)
    assert found.tempo is not None
    assert found.key is not None
    assert found.tempo.bpm == pytest.approx(BPM, rel=0.04)
    assert (REQUEST.bpm, REQUEST.key) == (BPM, found.key.name) == (125, "A minor")
    assert audio.shape[-1] / rate == FRAMES / 25 == 7.68
    page = (ROOT / "web" / "docs" / f"{NODE}.md").read_text(encoding="utf-8")
    assert "125 BPM in A minor, 7.68 seconds" in page


def test_they_lie_on_the_grid_of_frames_and_are_small() -> None:
    files = {path.name: path.stat().st_size for path in FOLDER.iterdir()}
    assert set(files) == {each.name for each in RECORDINGS}
    assert sum(files.values()) < ALL
    assert all(SAMPLE_RATE % each.rate == 0 for each in RECORDINGS)


def workflows() -> dict[str, list[dict]]:
    folder = ROOT / "workflows" / "api"
    found = {path.stem: json.loads(path.read_text()) for path in folder.glob("*.json")}
    return {name: list(prompt.values()) for name, prompt in found.items()}


def test_every_recording_of_a_workflow_comes_with_the_pack() -> None:
    nodes = [node for found in workflows().values() for node in found]
    assert [node for node in nodes if node["class_type"] == "LoadAudio"] == []
    named = {node["inputs"]["audio"] for node in nodes if node["class_type"] == NODE}
    assert named == {BAND, CHORDS, TUNE} == {f"{each.name} [example]" for each in RECORDINGS}


@pytest.mark.parametrize(
    "name",
    sorted(
        name
        for name, nodes in workflows().items()
        if any(node["class_type"] == NODE for node in nodes)
    ),
)
def test_the_first_step_of_its_note_is_to_choose_a_file(name: str) -> None:
    page = json.loads(page_path(name).read_text(encoding="utf-8"))
    (note,) = (node for node in page["nodes"] if node["type"] == "MarkdownNote")
    first = next(line for line in note["widgets_values"][0].splitlines() if line[:1].isdigit())
    assert first.startswith("1. **Choose your file** on *Load Recording*")
