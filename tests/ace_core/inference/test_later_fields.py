"""The fields that the official class has gained: each alone has its effect."""

from dataclasses import replace
from typing import Any

import pytest
import soundfile
import torch

from ace_core.inference import AceStepHandler, GenerationParams, GenerationResult
from ace_core.inference.request import recipe_of
from ace_core.inference.unused import Facts, unused_notes
from ace_core.sampling.guidance import GuidanceKind
from ace_core.sampling.solvers import Solver
from ace_core.types import Variant
from tests.rounding import assert_same

from .conftest import ONE, Make
from .watched import changes

TURBO = {"inference_steps": 2}
REPAINT = {"task_type": "repaint", "repainting_start": 2.0, "repainting_end": 4.0, **TURBO}
COVER = {"task_type": "cover", **TURBO}
PARAMS = GenerationParams(caption="calm piano")


@pytest.fixture(scope="module")
def song(make: Make) -> GenerationResult:
    return make(**TURBO)


@pytest.fixture(scope="module")
def repaint(make: Make, recording: str) -> GenerationResult:
    return make(src_audio=recording, **REPAINT)


def sound(result: GenerationResult) -> torch.Tensor:
    assert result.success, result.error
    return result.audios[0]["tensor"]


def latents(result: GenerationResult) -> torch.Tensor:
    assert result.success, result.error
    return result.extra_outputs["latents"]


@pytest.mark.parametrize(
    "change",
    [
        {"sampler_mode": "heun"},
        {"velocity_norm_threshold": 0.1},
        {"velocity_ema_factor": 0.5},
        {"retake_variance": 0.5, "retake_seed": 3},
        {"chunk_mask_mode": "auto"},
        {"latent_shift": 0.1},
        {"latent_rescale": 0.9},
    ],
    ids=str,
)
@changes("velocity_norm_threshold", "velocity_ema_factor", "chunk_mask_mode")
def test_a_field_alone_changes_the_latents(make: Make, song: GenerationResult, change: dict):
    changed = make(**TURBO, **change)
    assert not torch.equal(latents(changed), latents(song))
    default = {name: getattr(PARAMS, name) for name in change}
    assert torch.equal(latents(make(**TURBO, **default)), latents(song))


@pytest.mark.parametrize(
    "change",
    [
        {"repaint_mode": "conservative"},
        {"repaint_mode": "aggressive"},
        {"repaint_strength": 0.9},
        {"repaint_latent_crossfade_frames": 0},
        {"repaint_latent_crossfade_frames": 25},
    ],
    ids=str,
)
@changes("repaint_mode", "repaint_strength", "repaint_latent_crossfade_frames")
def test_a_repaint_is_kept_as_its_fields_say(
    make: Make, recording: str, repaint: GenerationResult, change: dict[str, Any]
):
    changed = make(src_audio=recording, **REPAINT, **change)
    assert not torch.equal(latents(changed), latents(repaint))


@changes("repaint_wav_crossfade_sec")
def test_the_waveform_ramp_of_a_repaint_is_as_long_as_it_says(
    make: Make, recording: str, repaint: GenerationResult
):
    changed = make(src_audio=recording, **REPAINT, repaint_wav_crossfade_sec=0.5)
    assert torch.equal(latents(changed), latents(repaint))
    different = (sound(changed) != sound(repaint)).any(dim=0).nonzero().flatten() / 48_000
    assert 1.5 <= float(different.min()) < 1.6
    assert 4.4 < float(different.max()) <= 4.5


@changes("cover_noise_strength")
def test_a_cover_may_start_from_its_source_and_other_tasks_say_that_they_do_not(
    make: Make, recording: str
):
    plain = make(src_audio=recording, **COVER)
    started = make(src_audio=recording, **COVER, cover_noise_strength=0.5)
    assert not torch.equal(latents(started), latents(plain))
    said = make(cover_noise_strength=0.5, repaint_mode="aggressive").status_message
    assert "`cover_noise_strength` is not used: text2music is no cover" in said
    assert "`repaint_mode` is not used: text2music keeps nothing" in said


@changes("latent_shift", "latent_rescale")
def test_the_latents_are_scaled_and_then_shifted(make: Make, song: GenerationResult):
    changed = make(**TURBO, latent_rescale=0.5, latent_shift=0.25)
    assert torch.equal(latents(changed), latents(song) * 0.5 + 0.25)


@changes("enable_normalization", "normalization_db")
def test_the_peak_is_raised_to_the_official_one_unless_told_otherwise(
    make: Make, song: GenerationResult
):
    assert float(sound(song).abs().max()) == pytest.approx(10 ** (-1 / 20), rel=1e-6)
    quieter = sound(make(**TURBO, normalization_db=-6.0))
    assert float(quieter.abs().max()) == pytest.approx(10 ** (-6 / 20), rel=1e-6)
    own = sound(make(**TURBO, enable_normalization=False))
    torch.testing.assert_close(own / own.abs().max() * 10 ** (-1 / 20), sound(song))
    assert float(own.abs().max()) != pytest.approx(10 ** (-1 / 20), rel=1e-3)


def test_a_repaint_keeps_the_level_of_its_source(
    make: Make, recording: str, repaint: GenerationResult
):
    off = make(src_audio=recording, **REPAINT, enable_normalization=False)
    assert torch.equal(sound(repaint), sound(off))
    source = torch.from_numpy(soundfile.read(recording, dtype="float32")[0].T)
    kept = slice(0, 48_000)
    torch.testing.assert_close(sound(repaint)[:, kept], source[:, kept].clamp(-1, 1))


@changes("fade_in_duration", "fade_out_duration")
def test_fades_are_straight_lines_at_both_ends(make: Make, song: GenerationResult):
    changed = sound(make(**TURBO, fade_in_duration=1.0, fade_out_duration=2.0))
    plain, n = sound(song), sound(song).shape[1]
    torch.testing.assert_close(
        changed[:, :48_000], plain[:, :48_000] * torch.linspace(0, 1, 48_000)
    )
    assert torch.equal(changed[:, 48_000 : n - 96_000], plain[:, 48_000 : n - 96_000])
    torch.testing.assert_close(
        changed[:, -96_000:], plain[:, -96_000:] * torch.linspace(1, 0, 96_000)
    )
    longer = sound(make(**TURBO, fade_in_duration=600.0))
    torch.testing.assert_close(longer, plain * torch.linspace(0, 1, n))
    end = sound(make(**TURBO, fade_out_duration=2.0))
    assert torch.equal(end[:, : n - 96_000], plain[:, : n - 96_000])
    assert torch.equal(end[:, -96_000:], changed[:, -96_000:])


@changes("retake_seed", "retake_variance")
def test_a_retake_is_recorded_with_each_song_s_own_seed(make: Make):
    two = replace(ONE, batch_size=2, seeds=[7, 8])
    both = make(**TURBO, config=two, retake_variance=0.3)  # its seeds are drawn
    for item, audio in enumerate(both.audios):
        again = make(config=replace(ONE, seeds=[audio["params"]["seed"]]), **audio["params"])
        assert_same(sound(again), both.audios[item]["tensor"])
    assert "Retake: 0.3 of seeds" in both.status_message
    assert "`retake_seed` is not used" in make(retake_seed=3).status_message


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("", GuidanceKind.APG),
        ("apg_classic", GuidanceKind.APG),
        ("cfg", GuidanceKind.CFG),
        ("adg", GuidanceKind.ADG),
        ("adg_w_norm", GuidanceKind.ADG_W_NORM),
        ("adg_wo_clip", GuidanceKind.ADG_WO_CLIP),
    ],
)
def test_guidance_is_chosen_by_its_official_name(name: str, kind: GuidanceKind):
    params = replace(PARAMS, guidance_variant=name)
    recipe, _ = recipe_of(params, Variant.BASE, (1,))
    assert recipe.guidance is not None
    assert recipe.guidance.kind is kind
    both, _ = recipe_of(replace(params, use_adg=True), Variant.BASE, (1,))
    assert both.guidance is not None
    assert both.guidance.kind is (kind if name else GuidanceKind.ADG)
    assert recipe_of(params, Variant.TURBO, (1,)).recipe.guidance is None
    notes = unused_notes(Facts(params, ONE, Variant.TURBO))
    assert any("`guidance_variant` are not used" in note for note in notes) == bool(name)


@changes("guidance_variant")
def test_each_guidance_makes_a_song_of_its_own(make: Make, base: AceStepHandler):
    names = ("apg_classic", "cfg", "adg", "adg_w_norm", "adg_wo_clip")
    songs = [latents(make(handler=base, **TURBO, guidance_variant=name)) for name in names]
    for index, one in enumerate(songs):
        assert all(not torch.equal(one, other) for other in songs[:index])
    assert torch.equal(songs[0], latents(make(handler=base, **TURBO)))


@changes("sampler_mode")
def test_heun_is_a_solver_of_ode_alone():
    heun = replace(PARAMS, sampler_mode="heun")
    assert recipe_of(heun, Variant.TURBO, (1,)).recipe.solver is Solver.HEUN
    both = replace(heun, infer_method="sde")
    assert recipe_of(both, Variant.TURBO, (1,)).recipe.solver is Solver.SDE
    notes = unused_notes(Facts(both, ONE, Variant.TURBO))
    assert "`sampler_mode` is not used: sde has steps of its own." in notes
