"""The editing workflows queued on a real ComfyUI's server, as a user queues them."""

import io as bytes_io

import pytest
import soundfile

from tests.nodes.flows import LOADER, NAMES, recordings, small
from tools.hosts.host import Prompt
from tools.hosts.server import ComfyServer

SAVER = "AceStep15SaveAudio"


@pytest.fixture(scope="module")
def studio(server: ComfyServer) -> ComfyServer:
    recordings(server.base_directory / "input")
    return server


def savers(prompt: Prompt) -> list[str]:
    return [number for number, node in prompt.items() if node["class_type"] == SAVER]


@pytest.mark.parametrize("name", NAMES)
def test_a_published_workflow_runs_and_its_sound_can_be_fetched(
    studio: ComfyServer, name: str
) -> None:
    prompt = small(name)
    outcome = studio.run(prompt)
    assert outcome.complete, outcome.why()
    files = [file for number in savers(prompt) for file in outcome.ui[number]["audio"]]
    assert len(files) == (3 if name == "variations" else len(savers(prompt)))  # a file a take
    for file in files:
        sound, rate = soundfile.read(bytes_io.BytesIO(studio.view(file)))
        assert rate == 48_000
        assert sound.shape[1] == 2
        assert abs(sound).max() > 1e-3


def test_a_repainted_file_equals_the_recording_outside_the_region(studio: ComfyServer) -> None:
    prompt = small("repaint_section")
    (number,) = savers(prompt)
    prompt[number]["inputs"]["format"] = "wav32f"
    (file,) = studio.run(prompt).ui[number]["audio"]
    sound, _ = soundfile.read(bytes_io.BytesIO(studio.view(file)), dtype="float32")
    source, _ = soundfile.read(studio.base_directory / "input" / "song.wav", dtype="float32")
    assert len(sound) == len(source)
    same = (sound == source).all(axis=1)
    assert same[: 48_000 - 1_200].all()
    assert same[3 * 48_000 + 1_200 :].all()
    assert not same[48_000 : 3 * 48_000].all()


@pytest.mark.parametrize("file", ["melody.flac", "melody.mp3"])
def test_a_recording_of_another_kind_is_covered(studio: ComfyServer, file: str) -> None:
    from tests.nodes import music

    music.write(studio.base_directory / "input" / file, 6.0, 44_100, 1)
    prompt = small("cover")
    loader = next(n for n, node in prompt.items() if node["class_type"] == LOADER)
    prompt[loader]["inputs"]["audio"] = file
    outcome = studio.run(prompt)
    assert outcome.complete, outcome.why()
    (saved,) = outcome.ui[savers(prompt)[0]]["audio"]
    sound, _ = soundfile.read(bytes_io.BytesIO(studio.view(saved)))
    assert abs(len(sound) / 48_000 - 6.0) < 0.15  # whole frames; mp3 adds a little
