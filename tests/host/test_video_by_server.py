"""The video of `picture_moves` through the server of a real ComfyUI, from /prompt to /view."""

from pathlib import Path

from ace_core.audio.envelope import Band, EnvelopeFollower, envelope
from tests.nodes import music, video
from tests.nodes.flows import small
from tools.hosts.host import Prompt
from tools.hosts.server import ComfyServer

SECONDS, FPS, RATE = 4, 12, 48_000


def behind_the_song(file: str) -> Prompt:
    """The workflow's nodes that need no model, with a recording in the song's place."""
    prompt = small("picture_moves")
    song = next(n for n, node in prompt.items() if node["class_type"] == "AceStep15DecodeAudio")
    needed = ("Envelope", "Picture", "EmptyImage", "ImageComposite", "CreateVideo", "SaveVideo")
    kept = {
        n: node
        for n, node in prompt.items()
        if node["class_type"].removeprefix("AceStep15").startswith(needed)
    }
    return {**kept, song: {"class_type": "LoadAudio", "inputs": {"audio": file}}}


def test_the_frames_of_the_file_are_as_bright_as_the_core_says(
    server: ComfyServer, tmp_path: Path
) -> None:
    music.write(server.base_directory / "input" / "moved.wav", SECONDS)
    prompt = behind_the_song("moved.wav")
    outcome = server.run(prompt)
    assert outcome.complete, outcome.why()
    (shown,) = next(found["images"] for found in outcome.ui.values() if "images" in found)
    file = tmp_path / shown["filename"]
    file.write_bytes(server.view(shown))
    seen = video.read(file)
    follow = EnvelopeFollower(release=0.2, floor=0.1)
    levels = envelope(music.music(SECONDS), RATE, FPS, Band.BASS, follow)
    assert len(seen.brightness) == len(levels) == SECONDS * FPS
    assert levels.std() > 0.05
    assert video.likeness(seen.brightness, levels) > 0.99
    assert seen.fps == FPS
    heard = envelope(seen.sound[:, : SECONDS * RATE], RATE, FPS, Band.BASS, follow)
    assert video.likeness(heard, levels) > 0.99
