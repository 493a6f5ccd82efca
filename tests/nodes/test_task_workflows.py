"""Every editing workflow on the miniature, on whichever host there is, and what it promises."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch

from tests.nodes.flows import LOADER, NAMES, SECONDS, recordings, small
from tools.hosts.host import Outcome, Prompt
from tools.hosts.pack import Pack

Run = Callable[[str], tuple[Prompt, Outcome]]


@pytest.fixture(scope="module")
def run(pack: Pack, models: Path, base_directory: Path) -> Run:
    recordings(base_directory / "input")
    done: dict[str, tuple[Prompt, Outcome]] = {}

    def run(name: str) -> tuple[Prompt, Outcome]:
        if name not in done:
            prompt = small(name)
            outcome = pack.host.run(prompt, extra_pnginfo={"workflow": {}})
            assert outcome.complete, outcome.why()
            done[name] = prompt, outcome
        return done[name]

    return run


def values(found: tuple[Prompt, Outcome], kind: str, slot: int = 0) -> list:
    prompt, outcome = found
    return [outcome.values[n][slot] for n, node in prompt.items() if node["class_type"] == kind]


@pytest.mark.parametrize("name", NAMES)
def test_a_workflow_saves_what_it_made(run: Run, name: str, base_directory: Path) -> None:
    prompt, outcome = run(name)
    savers = [n for n, node in prompt.items() if node["class_type"] == "AceStep15SaveAudio"]
    assert savers
    for each in savers:
        assert outcome.ui[each]["audio"]
        for saved in outcome.ui[each]["audio"]:
            folder = base_directory / saved["type"] / saved["subfolder"]
            assert (folder / saved["filename"]).exists()
    for sound in values((prompt, outcome), "AceStep15DecodeAudio"):
        assert sound["waveform"].isfinite().all()
        assert sound["waveform"].std() > 1e-4


def test_an_extended_song_is_longer_and_ends_as_it_did(run: Run) -> None:
    found = run("extend_song")
    (heard,), (source,) = (values(found, kind) for kind in ("AceStep15DecodeAudio", LOADER))
    extra = 3 * 48_000
    assert heard["waveform"].shape[-1] == int((SECONDS + 3) * 48_000)
    kept = heard["waveform"][..., extra + 30_000 :]
    assert torch.equal(kept, source["waveform"][..., 30_000:])


def test_voice_and_backing_add_up_to_the_recording(run: Run) -> None:
    """The null test of the workflow: nothing is lost between the two."""
    found = run("stems")
    (source,), (voice,), (backing,) = (
        values(found, kind) for kind in (LOADER, "AceStep15DecodeAudio", "AudioMerge")
    )
    rest = source["waveform"] - voice["waveform"]
    rest = rest / rest.abs().max().clamp(min=1)  # the stock node never clips
    torch.testing.assert_close(backing["waveform"], rest)


def test_a_close_variation_is_nearer_than_a_far_one(run: Run, pack: Pack) -> None:
    prompt, outcome = run("variations")
    (sampler,) = (n for n, node in prompt.items() if node["class_type"] == "AceStep15Sampler")
    takes, report = outcome.values[sampler][:2]

    def changed(**inputs: object) -> torch.Tensor:
        node = prompt[sampler]
        other = {**prompt, sampler: {**node, "inputs": {**node["inputs"], **inputs}}}
        return pack.host.run(other, extra_pnginfo={"workflow": {}}).values[sampler][0]["samples"]

    song, far = changed(retake_seed=-1), changed(retake_variance=0.6)
    assert torch.equal(song[0], song[1])
    for take, other in zip(takes["samples"], far, strict=True):
        assert 0.01 < (take - song[0]).norm() < (other - song[0]).norm()
    assert not torch.equal(takes["samples"][0], takes["samples"][1])
    assert "retake: 0.2 of seeds 100" in report


def test_the_list_of_times_is_snapped_aloud(run: Run) -> None:
    (said,) = values(run("custom_timesteps"), "AceStep15Schedule", 1)
    assert "10 steps" in said
    assert "0.8 to 0.7692" in said


def test_base_is_guided_inside_the_interval(run: Run) -> None:
    (said,) = values(run("high_quality_base"), "AceStep15Sampler", 1)
    assert "APG guidance 7, for t from 0.1 to 0.95" in said
    warnings = [line for line in said.splitlines() if line.startswith("warning")]
    assert [line[:24] for line in warnings] == ["warning: 3 steps on base"]  # made small
