"""What the page's waveforms are told, and that the file they name can be played."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import soundfile
import torch

from tests.nodes.lm_prompts import node, shown
from tests.nodes.music import write
from tests.nodes.task_prompts import loaders, task
from tools.hosts.host import Outcome
from tools.hosts.pack import Pack

SECONDS = 6.0
WAVEFORMS = "ace_step_waveforms"


@pytest.fixture(scope="module", autouse=True)
def recording(pack: Pack, models: Path, base_directory: Path) -> None:
    write(base_directory / "input" / "melody.wav", SECONDS)


def told(outcome: Outcome, name: str) -> list[dict[str, Any]]:
    assert outcome.complete, outcome.why()
    return [json.loads(each) for each in outcome.ui[name][WAVEFORMS]]


def placed(wave: dict[str, Any], base_directory: Path) -> Path:
    return base_directory / wave["type"] / wave["subfolder"] / wave["filename"]


@pytest.mark.parametrize("kind", ["Repaint", "RegionMask"])
def test_a_node_with_a_region_tells_what_its_source_sounds_like(
    pack: Pack, base_directory: Path, kind: str
) -> None:
    nodes = {**loaders(), **task("Repaint")}
    if kind == "RegionMask":
        by = {"by": "seconds", "by.start": 1.0, "by.end": 2.0}
        nodes = {"sound": nodes["sound"], "task": node("RegionMask", source=["sound", 0], **by)}
    (wave,) = told(pack.host.run({**nodes, "out": shown("task", 0)}), "task")
    assert wave["seconds"] == SECONDS
    assert len(wave["peaks"]) == 1000
    samples, rate = soundfile.read(placed(wave, base_directory))
    assert rate == 48_000
    source, _ = soundfile.read(base_directory / "input" / "melody.wav")
    assert samples.shape[0] == source.shape[0]
    assert abs(samples[:, 0] - source.reshape(len(source), -1)[:, 0]).max() < 1e-3


def test_a_saved_song_tells_which_file_it_is(pack: Pack, base_directory: Path) -> None:
    words = {"filename_prefix": "waves/take", "format": "flac16", "bitrate": "320"}
    save = node("SaveAudio", audio=["sound", 0], **words)
    outcome = pack.host.run({"sound": task("Repaint")["sound"], "save": save})
    (wave,) = told(outcome, "save")
    assert [{k: wave[k] for k in ("filename", "subfolder", "type")}] == outcome.ui["save"]["audio"]
    assert placed(wave, base_directory).is_file()
    assert wave["seconds"] == SECONDS


def test_peaks_and_loudness_are_those_of_the_item(pack: Pack) -> None:
    waves = pack.submodule("nodes.waveform_ui")
    loudness = pack.submodule("ace_core.audio.loudness").loudness
    times = torch.arange(48_000 * 2) / 48_000
    tone = torch.sin(2 * torch.pi * 997 * times).expand(2, -1)
    quiet, late = (
        waves.waveform(item, 48_000, loudness(item, 48_000))
        for item in (tone / 2, tone * (times > 0.8))
    )
    assert max(quiet["peaks"]) == 128
    assert quiet["loudness"] == pytest.approx(-6.0, abs=0.1)
    partial = 10 * math.log10((9 + 1.5) / 12)  # 9 blocks of tone, and 3 that hold a part of it
    assert late["loudness"] == pytest.approx(partial, abs=0.02)  # its silence is left out
    assert not any(late["peaks"][:400])
    assert max(late["peaks"][401:]) == 255


def test_a_source_that_was_heard_before_is_not_written_again(
    pack: Pack, base_directory: Path
) -> None:
    waves = pack.submodule("nodes.waveform_ui")
    sound = torch.rand(1, 2, 4800) * 3  # too loud for a file: brought to full scale
    (first,) = waves.source_waveform(sound)[WAVEFORMS]
    place = placed(json.loads(first), base_directory)
    written = place.stat().st_ino
    assert waves.source_waveform(sound)[WAVEFORMS] == [first]
    assert place.stat().st_ino == written
    samples, _ = soundfile.read(place)
    assert abs(samples).max() == pytest.approx(1.0, abs=1e-3)
