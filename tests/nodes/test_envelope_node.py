"""Audio as levels that move pictures, through the stock nodes for masks, images and films."""

import json
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch

from tests.nodes import music, video
from tests.nodes.lm_prompts import complaint, node, shown
from tests.nodes.task_prompts import Nodes, Run
from tools.hosts.pack import Pack

RATE = 48_000


@pytest.fixture(scope="module")
def beats(base_directory: Path) -> str:
    """A file of 4 s: a second of pulses, one of silence, and again."""
    sound = music.music(1.0)
    whole = torch.cat([sound, torch.zeros_like(sound)], dim=1).repeat(1, 2)
    soundfile.write(base_directory / "input" / "beats.wav", whole.T.numpy(), RATE)
    return "beats.wav"


def envelope(source: str = "sound", **changes: Any) -> dict[str, Any]:
    given = {"fps": 12.0, "band": "whole", "attack": 0.0, "release": 0.0, "floor": 0.0}
    size = {"width": 64, "height": 64}
    return node("Envelope", audio=[source, 0], **given | size | changes)


def loaded(file: str) -> dict[str, Any]:
    return {"class_type": "LoadAudio", "inputs": {"audio": file}}


def followed(file: str, **changes: Any) -> Nodes:
    return {"sound": loaded(file), "levels": envelope(**changes)}


def picture(width: int, height: int, color: int, batch_size: Any = 1) -> dict[str, Any]:
    size = {"width": width, "height": height}
    return {
        "class_type": "EmptyImage",
        "inputs": {**size, "batch_size": batch_size, "color": color},
    }


def filmed(file: str, **changes: Any) -> Nodes:
    """A reddish picture that lights up in a film of 64 x 48."""
    lit = {"source": ["bright", 0], "destination": ["dark", 0], "mask": ["levels", 0]}
    made = {"images": ["lit", 0], "fps": ["levels", 3], "audio": ["sound", 0]}
    saved = {"filename_prefix": "video/beats", "format": "auto", "codec": "auto"}
    return {
        **followed(file, **changes),
        "bright": picture(32, 32, 0xFF8040),
        "dark": picture(64, 48, 0x102030, ["levels", 2]),
        "lit": {
            "class_type": "ImageCompositeMasked",
            "inputs": {**lit, "x": 0, "y": 0, "resize_source": True},
        },
        "film": {"class_type": "CreateVideo", "inputs": made},
        "saved": {"class_type": "SaveVideo", "inputs": {**saved, "video": ["film", 0]}},
    }


def test_a_sound_becomes_a_mask_numbers_and_their_count(run: Run, beats: str) -> None:
    nodes = followed(beats, width=3, height=2, fps=24.0)
    mask, levels, frames, fps = run({**nodes, "out": shown("levels", 0)}).values["levels"]
    assert mask.shape == (96, 2, 3)
    assert mask.dtype == torch.float32
    assert frames == 96
    assert fps == 24.0
    assert torch.equal(mask[:, 1, 2], torch.tensor(levels))
    assert all(isinstance(level, float) for level in levels)
    assert max(levels) == 1.0
    assert max(levels[26:47]) == 0.0  # the silent second, but for the windows at its ends


def test_the_numbers_travel_as_one_list(run: Run, beats: str) -> None:
    """As packs for such schedules have it, not as values for one run each."""
    found = run({**followed(beats), "out": shown("levels", 1)})
    (text,) = found.ui["out"]["text"]
    assert json.loads(text) == found.values["levels"][1]
    assert text.count(",") == 47


def test_band_and_smoothing_are_heard(run: Run, beats: str) -> None:
    def levels(**changes: Any) -> list[float]:
        return run({**followed(beats, **changes), "out": shown("levels", 0)}).values["levels"][1]

    plain = levels()
    assert levels(band="treble") != plain
    assert 0 < levels(release=0.5)[20] < 1
    assert levels(attack=0.5)[0] < plain[0]
    assert sum(level == 0 for level in levels(floor=0.5)) > sum(level == 0 for level in plain)


def test_stock_nodes_light_a_picture_as_the_levels_say(run: Run, beats: str) -> None:
    found = run({**filmed(beats), "out": shown("lit", 0)})
    levels = torch.tensor(found.values["levels"][1])[:, None, None, None]
    bright, dark = (torch.tensor(rgb) / 255 for rgb in ((0xFF, 0x80, 0x40), (0x10, 0x20, 0x30)))
    expected = levels * bright + (1 - levels) * dark
    images = found.values["lit"][0]
    assert images.shape == (48, 48, 64, 3)
    torch.testing.assert_close(images, expected.expand_as(images), atol=1e-5, rtol=0)


def test_the_film_glows_with_its_own_sound(run: Run, beats: str, base_directory: Path) -> None:
    found = run(filmed(beats))
    assert found.complete, found.why()
    (saved,) = found.ui["saved"]["images"]
    seen = video.read(base_directory / saved["type"] / saved["subfolder"] / saved["filename"])
    levels = torch.tensor(found.values["levels"][1])
    assert seen.size == (64, 48)
    assert seen.fps == 12.0
    assert len(seen.brightness) == len(levels) == 48
    assert video.likeness(seen.brightness, levels) > 0.999
    for late in (-1, 1):
        assert video.likeness(seen.brightness, levels.roll(late)) < 0.95
    assert seen.rate == RATE
    assert seen.sound.shape[0] == 2
    assert seen.sound.shape[1] == pytest.approx(4 * RATE, abs=2048)  # whole blocks of AAC
    parts = [seen.sound[:, n * RATE + 4096 : (n + 1) * RATE - 4096] for n in range(4)]
    assert [bool(part.abs().max() > 0.1) for part in parts] == [True, False, True, False]


def test_silence_gives_a_dark_film_instead_of_none(run: Run, base_directory: Path) -> None:
    soundfile.write(base_directory / "input" / "silence.wav", torch.zeros(RATE, 2).numpy(), RATE)
    found = run({**followed("silence.wav"), "out": shown("levels", 0)})
    mask, levels, *_ = found.values["levels"]
    assert levels == [0.0] * 12
    assert not mask.any()


def test_several_takes_are_refused(pack: Pack) -> None:
    takes = {"waveform": torch.rand(3, 2, RATE), "sample_rate": RATE}
    given = {**envelope()["inputs"], "audio": takes}
    refusal = pack.submodule("ace_core.errors").InvalidRequestError
    with pytest.raises(refusal, match=r"has 3 takes.*Keep Best"):
        pack.nodes["AceStep15Envelope"].execute(**given)


def test_a_mask_that_would_fill_the_memory_is_refused(run: Run, beats: str) -> None:
    nodes = followed(beats, fps=120.0, width=4096, height=4096)
    said = complaint(run({**nodes, "out": shown("levels", 0)}))
    assert "480 frames of 4096 x 4096 takes 32.2 GB" in said
    assert "Make width and height smaller" in said


@pytest.mark.parametrize("fps", [0.5, 240.0])
def test_a_rate_that_no_film_has_is_refused_before_the_run(
    run: Run, beats: str, fps: float
) -> None:
    assert run({**followed(beats, fps=fps), "out": shown("levels", 0)}).status == "refused"
