"""What claims are judged by: composed music meets them, music for another request does not. No
model is needed."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ace_core.constants import LATENT_CHANNELS, SAMPLE_RATE
from ace_core.sources import place_region, prepare_source
from tools.miniature.claims import text
from tools.miniature.claims.asked import AsAsked, as_asked, instruments, requests, song
from tools.miniature.claims.codes import recall
from tools.miniature.claims.figure import Extent, Figure, Unit, over_seeds
from tools.miniature.claims.kept import (
    Heard,
    bounds,
    broken,
    heard_most,
    reached,
    write_broken,
    write_reached,
)
from tools.miniature.claims.language import named
from tools.miniature.claims.music import Family, How, latent, truths, written
from tools.miniature.claims.regions import KEEP, Repaint
from tools.miniature.claims.sources import clip, nearer_to_source, other_sounds
from tools.miniature.claims.stems import added, cases, completed, fits, si_sdr_gains
from tools.miniature.claims.table import GROUPS, measured
from tools.miniature.claims.text import overlap
from tools.miniature.evaluation.sound import audio_of
from tools.miniature.world.captions import caption
from tools.miniature.world.channels import STEMS
from tools.miniature.world.piece import compose
from tools.miniature.world.request import Request, draw

EXTENT = Extent(requests=16, fewer=8)
ASKED = requests(EXTENT)
SEVERAL = cases(requests(EXTENT.slow))


def turned(items: list) -> list:
    return [*items[1:], items[0]]


def test_requests_of_a_seed_are_its_own_and_all_have_a_key():
    assert requests(EXTENT) == ASKED
    other = requests(replace(EXTENT, seed=1))
    assert {each.seed for each in ASKED}.isdisjoint(each.seed for each in other)
    assert all(each.stems != ("drums",) for each in ASKED + other)
    asked = song(ASKED[0])
    assert (asked.bpm, asked.key, asked.seconds) == (ASKED[0].bpm, ASKED[0].key, 20)


def test_composed_pieces_are_as_asked_and_those_of_others_are_not():
    found = as_asked(ASKED, truths(ASKED))
    assert min(found.tempo, found.octaves, found.key, found.instruments, found.mean) == 1
    wrong = as_asked(ASKED, turned(truths(ASKED)))
    assert max(wrong.tempo, wrong.key) < 0.3
    assert wrong.instruments < 0.8
    assert isinstance(wrong, AsAsked)


def test_instruments_need_requests_that_differ():
    with pytest.raises(ValueError, match="same stems"):
        instruments(ASKED[:1] * 2, truths(ASKED[:1] * 2))


def test_a_cover_is_the_same_piece_for_other_instruments():
    pieces = truths(ASKED)
    made = [compose(other_sounds(request)).roll for request in ASKED]
    assert instruments([other_sounds(request) for request in ASKED], made) == 1
    assert nearer_to_source(made, pieces) > 0.9
    assert nearer_to_source(turned(made), pieces) < 0.7
    assert all("keyboard" in other_sounds(request).stems for request in ASKED)


def test_a_reference_is_thirty_seconds_of_a_piece():
    (piece,) = truths(ASKED[:1])
    heard = clip(piece)
    assert heard.shape == (1, 750, LATENT_CHANNELS)
    torch.testing.assert_close(heard[0, : len(piece)], latent(piece)[0])


def test_strokes_that_come_back_are_counted_by_stem():
    pieces = truths(ASKED)
    without = [piece.clone() for piece in pieces]
    for piece in without:
        piece[:, list(STEMS["synth"])] = 0
    assert recall(pieces, pieces, "synth") == 1
    assert recall(pieces, without, "synth") == 0
    assert recall(pieces, without, "bass") == 1
    assert overlap(pieces, pieces) == 1
    assert overlap(pieces, turned(pieces)) < 0.3


def test_a_lego_stem_is_alone_in_time_and_in_key():
    true = [each.truth for each in SEVERAL]
    assert added(SEVERAL, true) == 1
    assert added(SEVERAL, [each.truth + each.band for each in SEVERAL]) == 0
    assert added(SEVERAL, [torch.zeros_like(each.truth) for each in SEVERAL]) == 0
    late = [each.truth.roll(1, 0) for each in SEVERAL]
    assert added(SEVERAL, late) < 0.3
    tonal = [each for each in SEVERAL if each.stem in ("bass", "synth")]
    off_key = [compose(replace(c.request, tonic=(c.request.tonic + 6) % 12)).roll for c in tonal]
    assert not any(fits(case, roll) for case, roll in zip(tonal, off_key, strict=True))


def test_a_completed_mix_keeps_the_band():
    assert completed(SEVERAL, [each.truth + each.band for each in SEVERAL]) == 1
    assert completed(SEVERAL, [each.truth for each in SEVERAL]) == 0
    assert completed(SEVERAL, [each.band for each in SEVERAL]) == 0


def test_an_extracted_stem_gains_and_the_mix_gains_nothing():
    few = SEVERAL[:2]
    mixes = [each.band + each.truth for each in few]
    assert si_sdr_gains(few, mixes) == pytest.approx([0, 0], abs=1e-4)
    nearly = [each.truth + 0.1 * each.band for each in few]
    assert min(si_sdr_gains(few, nearly)) > 15


def repainted(request: Request, inside: Request) -> Repaint:
    """A piece whose middle is another's; `latents` are not blended."""
    source, other = truths([request, inside])
    canvas = place_region(prepare_source(audio_of(source)[None], SAMPLE_RATE), 0.35 * 20, 0.65 * 20)
    places = canvas.mask[0, :, 0].nonzero().flatten()
    first, stop = int(places[0]), int(places[-1]) + 1
    mixed = torch.where(canvas.mask[0] > 0, other, source)
    return Repaint(request, source, latent(mixed), canvas, first, stop)


def test_a_repaint_is_new_and_fits_where_its_region_is_another_piece_of_the_same_tempo_and_key():
    request = next(each for each in ASKED if len(each.stems) > 2)
    alike = replace(request, seed=request.seed + 1)
    good = repainted(request, alike)
    assert good.outside_equal()
    assert good.is_new()
    assert good.fits()
    same = repainted(request, request)
    assert not same.is_new()
    beats = 11 if request.beat_frames != 11 else 13
    off = repainted(request, replace(alike, beat_frames=beats, meter=4))
    assert not off.fits()
    empty = replace(good, latents=latent(torch.zeros_like(good.source)))
    assert not empty.fits()
    outside = good.latents.clone()
    outside[:, good.first - KEEP.blend_frames - 1] += 1e-3
    assert not replace(good, latents=outside).outside_equal()


def test_a_caption_names_its_instruments():
    for seed in range(40):
        assert named(caption(draw(seed))) == draw(seed).stems


def test_what_the_base_model_plays_is_made_once_for_a_family(monkeypatch: pytest.MonkeyPatch):
    made: list[float] = []

    def heard(models: Any, asked: Any, how: How) -> None:
        assert how.guidance is not None
        made.append(how.guidance.scale)

    monkeypatch.setattr(text, "heard", heard)
    monkeypatch.setattr(Family, "base", None)
    family = Family(None, frozenset())
    for each in (family, family, replace(family)):
        text.sweep(each, EXTENT)
    assert made == [*EXTENT.scales] * 2


def test_figures_of_seeds_are_one_figure_and_their_spread():
    runs = [[Figure("a claim", value, 0.9)] for value in (0.8, 1.0)]
    (whole,) = over_seeds(runs)
    assert (whole.value, whole.spread) == (pytest.approx(0.9), pytest.approx(0.1))
    assert whole.row() == "| a claim | 90 % | 90 % | 10 % | yes |"
    shown = Figure("extract", 3.25, unit=Unit.DB)
    assert shown.row() == "| extract | shown | 3.2 dB | 0.0 dB |  |"


def test_what_was_reached_is_kept_by_group_and_bounds_what_comes(tmp_path: Path):
    path = tmp_path / "reached.json"
    write_reached(path, "quick", {"turbo": [Figure("a", 0.9, spread=0.05)]})
    write_reached(path, "quick", {"base": [Figure("b", 0.5)]})
    write_reached(path, "whole", {"base": [Figure("b", 0.6)]})
    assert bounds(path, "quick", "turbo") == {"a": pytest.approx(0.75)}
    assert bounds(path, "quick", "base") == {"b": pytest.approx(0.42)}
    assert bounds(path, "whole", "base") == {"b": pytest.approx(0.52)}


def test_nothing_is_held_to_chance_and_what_is_bit_for_bit_to_all_of_it(tmp_path: Path):
    path = tmp_path / "reached.json"
    equal, lucky = (
        Figure("equal", 1.0),
        Figure("lucky", 0.6, unit=Unit.AUC, spread=0.05, chance=0.5),
    )
    write_reached(path, "quick", {"turbo": [equal, lucky]})
    assert bounds(path, "quick", "turbo") == {"equal": 1.0}


def test_a_break_is_heard_by_the_claim_that_falls_farthest_below_its_bound(tmp_path: Path):
    path = tmp_path / "reached.json"
    intact = [
        Figure("rhythm", 0.7, unit=Unit.NUMBER, chance=0.15),
        Figure("key", 0.9, chance=0.05),
        Figure("tempo", 0.1, chance=0.07),  # at chance: it hears nothing
    ]
    write_reached(path, "quick", {"turbo": intact})
    assert reached(path, "quick", "turbo") == intact
    fell = [Figure("tempo", 0.0), Figure("key", 0.5), Figure("rhythm", 0.1)]
    near = [Figure("tempo", 0.0), Figure("key", 0.8), Figure("rhythm", 0.7)]
    found = {"a": heard_most(intact, fell), "b": heard_most(intact, near)}
    assert found["a"] == Heard(intact[0], 0.1)
    assert (found["a"].heard, found["b"].heard) == (True, False)  # 0.8: below 0.82, not clearly
    assert found["a"].row("x") == "| x | rhythm | 0.70 | at least 0.65 | 0.10 | yes |"
    assert not heard_most(intact[2:], fell).heard
    write_broken(path, found)
    assert broken(path) == found
    assert reached(path, "quick", "turbo") == intact


def test_groups_of_models_that_are_not_there_are_named(tmp_path: Path):
    lines: list[str] = []
    assert measured(written(tmp_path / "out", tmp_path), EXTENT, 1, (), lines.append) == {}
    assert len(lines) == 2 + len(GROUPS)
    assert "| guidance | not measured: base is not there | | | |" in lines
