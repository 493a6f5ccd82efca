"""A take repainted from its own latents: they are not decoded and encoded, and stay as they are."""

import re
from pathlib import Path

import pytest
import torch
from torch import Tensor

from ace_core.inference import GenerationResult
from tools.hosts.checkout import ROOT

from .conftest import Make

REGION = {"task_type": "repaint", "repainting_start": 4.0, "repainting_end": 6.0}
PAGE = " ".join((ROOT / "docs" / "api.md").read_text(encoding="utf-8").split())
KEPT = slice(0, 80)  # frames before the region and its ramp


@pytest.fixture(scope="module")
def take(make: Make, tmp_path_factory: pytest.TempPathFactory) -> GenerationResult:
    folder = tmp_path_factory.mktemp("take")
    return make(save_dir=str(folder), enable_normalization=False)


def repainted(make: Make, take: GenerationResult, latents: Tensor | None) -> Tensor:
    path = take.audios[0]["path"]
    result = make(src_audio=path, source_repaint_latents=latents, **REGION)
    assert result.success, result.error
    return result.extra_outputs["latents"]


def error(found: Tensor, expected: Tensor) -> float:
    return float((found - expected).norm() / expected.norm())


def test_a_take_s_own_latents_are_kept_bit_for_bit_and_encoded_ones_are_not(
    make: Make, take: GenerationResult
):
    own = take.extra_outputs["latents"]
    direct, encoded = (repainted(make, take, each) for each in (own, None))
    assert torch.equal(direct[:, KEPT], own[:, KEPT])
    found = error(encoded[:, KEPT], own[:, KEPT])
    (stated,) = re.findall(r"is 0 in place of ([\d.]+) for the encoded recording", PAGE)
    assert found == pytest.approx(float(stated), abs=0.01)
    assert not torch.equal(direct[:, 100:150], own[:, 100:150])


def test_where_the_recording_was_normalised_the_new_part_gets_its_level(
    make: Make, take: GenerationResult, tmp_path_factory: pytest.TempPathFactory
):
    folder = tmp_path_factory.mktemp("normalised")
    louder = make(save_dir=str(folder))
    assert torch.equal(louder.extra_outputs["latents"], take.extra_outputs["latents"])
    sounds = []
    for each in (take, louder):
        result = make(
            src_audio=each.audios[0]["path"],
            source_repaint_latents=each.extra_outputs["latents"],
            enable_normalization=False,
            **REGION,
        )
        sounds.append(result.audios[0]["tensor"][:, 240_000 - 24_000 : 240_000 + 24_000])
    gain = louder.audios[0]["tensor"].abs().max() / take.audios[0]["tensor"].abs().max()
    assert float(gain) != pytest.approx(1, abs=0.05)
    torch.testing.assert_close(sounds[1], sounds[0] * gain, atol=2e-3, rtol=0)


def test_latents_without_a_batch_are_one_source(make: Make, take: GenerationResult):
    own = take.extra_outputs["latents"]
    assert torch.equal(repainted(make, take, own[0]), repainted(make, take, own))


@pytest.mark.parametrize(
    ("latents", "words"),
    [
        (torch.zeros(1, 200, 64), r"\[1, 200, 64\].*\[batch, 250, 64\]"),
        (torch.zeros(1, 250, 32), r"\[1, 250, 32\]"),
        (torch.full((1, 250, 64), torch.nan), "NaN"),
        (torch.zeros(3, 250, 64), "latents for 3 sources, but 1 can be used"),
    ],
    ids=["length", "channels", "nan", "count"],
)
def test_what_are_not_the_latents_of_the_source_is_refused(
    make: Make, take: GenerationResult, latents: Tensor, words: str
):
    result = make(src_audio=take.audios[0]["path"], source_repaint_latents=latents, **REGION)
    with pytest.raises(AssertionError, match=words):
        assert result.success, result.error


def test_another_task_has_no_latents_of_a_source(make: Make, take: GenerationResult):
    result = make(source_repaint_latents=take.extra_outputs["latents"])
    assert "the task is text2music" in str(result.error)
    assert Path(take.audios[0]["path"]).is_file()
