"""The model's inputs for each task, against the official handler and its condition encoder."""

from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from ace_core.conditioning import tasks
from ace_core.conditioning.context import context, encode_conditions
from ace_core.task import SourceUse
from tests.parity import checks, ours, recipe
from tests.parity.cases import BY_NAME, CASES
from tests.rounding import assert_same

SIZES = ("2b", "xl")


def by_case(function):
    """One test per case and size of the model."""
    cases = pytest.mark.parametrize("case", [case.name for case in CASES])
    return pytest.mark.parametrize("size", SIZES)(cases(function))


@pytest.fixture(scope="module")
def deviations() -> dict[str, torch.Tensor]:
    return load_file(checks.GOLDENS / "conditioning_deviations.safetensors")


def context_of(case: str, task=None) -> torch.Tensor:
    models = ours.models("2b")
    return context(models.dit, task or checks.item(case), models.silence)


@by_case
def test_weights_and_audio_are_those_the_goldens_were_made_with(case, size):
    for name, (here, there) in checks.fingerprints(case, size).items():
        assert here == pytest.approx(there, rel=1e-6), name


@by_case
def test_prompts_are_the_official_ones_to_the_byte(case, size):
    assert checks.instruction(case, size) == 0
    texts = checks.official_texts(case, size)
    assert f"# Instruction\n{texts['instruction']}\n\n# Caption\n" in texts["text"]


@by_case
def test_source_and_mask_are_the_official_ones(case, size):
    assert checks.source_and_mask(case, size) < checks.ENCODED


@by_case
def test_the_packed_condition_is_the_official_one(case, size):
    assert checks.condition(case, size) < checks.ENCODED


@by_case
def test_without_the_source_context_and_condition_are_the_official_ones(case, size):
    assert checks.without_source(case, size) < checks.ENCODED


def test_regions_have_the_requested_frames():
    first = {case.name: _masked_frames(case.name) for case in CASES}
    assert first["repaint"] == (55, 87)  # 2.21 to 3.5 seconds
    assert first["lego_range"] == (25, 57)
    assert first["repaint_left"] == (0, 50)  # 25.25 frames of silence before the source
    assert first["repaint_right"] == (100, 157)
    assert first["lego"] == first["cover"] == (0, 131)
    assert first["extract"] == (0, 128)  # the shortest canvas


def _masked_frames(case: str) -> tuple[int, int]:
    """First frame of the official mask and the one after the last."""
    frames = checks.golden(case, "2b")["mask"].nonzero().flatten().tolist()
    assert frames == list(range(frames[0], frames[-1] + 1))
    return frames[0], frames[-1] + 1


@pytest.mark.parametrize("case", ["repaint", "lego_range"])
def test_a_range_reaches_the_mask_where_the_official_default_plays_everywhere(case, deviations):
    assert (deviations[f"{case}_auto_mask"] == 1).all()
    assert context_of(case)[0, :, -1].sum() == checks.golden(case, "2b")["mask"].sum() < 131


def test_a_cover_with_its_own_instruction_gets_codes_where_the_official_one_gets_the_raw_source(
    deviations,
):
    case = BY_NAME["cover"]
    latents, length, _ = ours.source(case)
    raw = deviations["cover_own_words_source"]
    assert checks.difference(raw, latents[..., checks.KEPT]) < checks.ENCODED
    instruction = "Sing it another way:"
    item = tasks.cover(case.song, ours.text_encoder(), length, instruction=instruction)
    item = replace(item, source=latents)
    assert not torch.equal(item.text, checks.item("cover").text)
    assert torch.equal(context_of("cover", item), context_of("cover"))
    remix = replace(item, source_use=SourceUse.WHOLE)
    remixed = context_of("cover", remix)[..., : recipe.CHANNELS]
    assert checks.difference(remixed[..., checks.KEPT], raw) < checks.ENCODED


@pytest.mark.parametrize(("case", "change"), [("cover", "padded"), ("complete", "cut")])
def test_text_without_the_source_keeps_its_length_where_the_official_one_is_padded_or_cut(
    case, change, deviations
):
    models = ours.models("2b")
    without_source = encode_conditions(models.dit, checks.item_without_source(case), models.silence)
    shipped = deviations[f"{case}_free_condition_as_shipped"]
    with_source = encode_conditions(models.dit, checks.item(case), models.silence)
    assert shipped.shape[1] == with_source.shape[1] != without_source.shape[1]
    assert (shipped.shape[1] > without_source.shape[1]) == (change == "padded")
    shared = min(shipped.shape[1], without_source.shape[1])
    assert checks.difference(without_source[:, :shared], shipped[:, :shared]) < checks.ENCODED


def test_every_reference_is_a_token_of_its_own_between_lyrics_and_text():
    models = ours.models("2b")
    item = checks.item("cover")
    assert item.timbre is not None
    both = encode_conditions(models.dit, item, models.silence)
    one = encode_conditions(models.dit, replace(item, timbre=item.timbre[:1]), models.silence)
    position = item.lyrics.shape[1]
    assert_same(both[:, : position + 1], one[:, : position + 1])
    assert_same(both[:, position + 2 :], one[:, position + 1 :])
