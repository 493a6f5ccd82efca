"""The measures of the miniature's music, on pieces whose truth is known and where it is not met."""

from collections.abc import Callable
from dataclasses import replace

import pytest
import torch
from torch import Tensor

from ace_core.measure.key import PITCHES
from tools.miniature.codec.decoder import SCALE
from tools.miniature.evaluation.calibration import SHARES, Case, cases, stem_auc, uneven
from tools.miniature.evaluation.key import in_key, key
from tools.miniature.evaluation.likeness import harmony, kept, likeness, rhythm
from tools.miniature.evaluation.sound import CLICK, audio_of, click, roll_si_sdr
from tools.miniature.evaluation.stems import auc, playing
from tools.miniature.evaluation.strokes import onsets, roll_of
from tools.miniature.evaluation.tempo import on_grid, pulse, tempo_kept
from tools.miniature.world.channels import FIRST_FRAME, KEYBOARD, RESTRIKE, STEMS
from tools.miniature.world.piece import compose
from tools.miniature.world.render import render, stem_rolls
from tools.miniature.world.request import Request, draw
from tools.miniature.world.sounds import sounds

PIECES = 30
FULL = Request(3, 20.0, beat_frames=14, meter=4, tonic=2, mode="minor", stems=tuple(STEMS))
OWN = {  # of the pieces' own requests; all of 100 pieces but one or four are right
    "tempo, within 4 %": 0.95,
    "tempo, half and twice of it counted, too": 0.97,
    "meter": 0.9,
    "strokes on the sixteenths of the request": 0.99,
    "key": 0.95,
    "notes of the key": 0.99,
    "exactly the asked stems play": 0.97,
}
OTHERS = {  # of the requests of other pieces, where chance is a sixteenth, a 24th, ...
    "tempo, within 4 %": 0.25,
    "tempo, half and twice of it counted, too": 0.3,
    "meter": 0.6,
    "strokes on the sixteenths of the request": 0.6,
    "key": 0.2,
    "notes of the key": 0.75,
    "exactly the asked stems play": 0.4,
}


def ghostly(roll: Tensor, seed: int = 0) -> Tensor:
    """With a tenth of the strokes left out, and as many half strokes anywhere as there are whole
    ones."""
    generator = torch.Generator().manual_seed(seed)
    chance = torch.rand(roll.shape, generator=generator)
    left = torch.where(chance < 0.1, 0.0, roll)
    share = float((roll > 0).sum()) / roll.numel()
    ghosts = torch.rand(roll.shape, generator=generator) < share
    return torch.maximum(left, 0.25 * ghosts) + 0.01 * torch.randn(roll.shape, generator=generator)


@pytest.mark.parametrize("measure", SHARES)
def test_a_share_is_whole_on_own_requests_and_near_chance_on_others(measure: str):
    own, others = cases(PIECES, own=True), cases(PIECES, own=False)
    right, played, wrong = (
        list(SHARES[measure](each)) for each in (own, [uneven(case) for case in own], others)
    )
    assert sum(right) / len(right) > OWN[measure]
    assert sum(played) / len(played) > OWN[measure] - 0.03
    assert sum(wrong) / len(wrong) < OTHERS[measure]


@pytest.mark.parametrize("stem", STEMS)
def test_the_energy_of_a_stem_tells_whether_it_was_asked_for(stem: str):
    assert stem_auc(cases(PIECES, own=True), stem) == 1
    assert 0.2 < stem_auc(cases(PIECES, own=False), stem) < 0.8


def test_auc_counts_pairs():
    assert auc([1.0, 2.0, 3.0], [False, False, True]) == 1
    assert auc([1.0, 2.0, 2.0], [True, False, True]) == 0.25
    with pytest.raises(ValueError, match="positive and negative"):
        auc([1.0], [True])


def test_half_strokes_and_lost_ones_change_neither_tempo_nor_key():
    for seed in range(8):
        request = draw(seed)
        roll = ghostly(compose(request).roll, seed)
        assert tempo_kept(roll, request)
        assert key(roll) == (None if request.stems == ("drums",) else request.key)
        assert playing(roll) == request.stems


@pytest.mark.parametrize("frames", [11, 16, 25])
def test_the_pulse_is_that_of_the_roll_wherever_it_begins(frames: int):
    request = replace(FULL, beat_frames=frames)
    roll = compose(request).roll[FIRST_FRAME:]
    for late in (0, 7):
        found = pulse(torch.nn.functional.pad(roll, (0, 0, late, 0)))
        assert found is not None
        assert (found.beat_frames, found.meter, found.start) == (frames, 4, late)
    assert on_grid(compose(request).roll, request) == 1


def test_twice_the_tempo_is_right_only_where_octaves_count():
    roll = compose(replace(FULL, beat_frames=11)).roll
    assert tempo_kept(roll, replace(FULL, beat_frames=11))
    assert not tempo_kept(roll, replace(FULL, beat_frames=22))
    assert tempo_kept(roll, replace(FULL, beat_frames=22), octaves=True)
    assert not tempo_kept(roll, replace(FULL, beat_frames=16), octaves=True)


@pytest.mark.parametrize("tonic", range(12))
def test_the_key_of_a_transposed_piece_is_transposed(tonic: int):
    for mode in ("major", "minor"):
        request = replace(FULL, tonic=tonic, mode=mode)
        roll = compose(request).roll
        assert key(roll) == f"{PITCHES[tonic]} {mode}"
        assert in_key(roll, request.key) == 1
        tritone = replace(request, tonic=(tonic + 6) % 12)
        assert (in_key(roll, tritone.key) or 1) < 0.6


def test_silence_and_drums_have_no_key_and_silence_no_pulse():
    silence = torch.zeros(100, 64)
    assert pulse(silence) is None
    assert on_grid(silence, FULL) is None
    assert not tempo_kept(silence, FULL)
    drums = compose(replace(FULL, stems=("drums",))).roll
    assert key(drums) is None
    assert in_key(drums, FULL.key) is None
    assert playing(silence) == ()


def test_a_held_note_begins_once():
    roll = torch.zeros(60, 64)
    roll[FIRST_FRAME::RESTRIKE, KEYBOARD[2]] = 0.8
    assert onsets(roll).nonzero().tolist() == [[FIRST_FRAME, KEYBOARD[2]]]
    roll[FIRST_FRAME + 2 * RESTRIKE, KEYBOARD[2]] = 1.3  # much harder than before: struck anew
    assert len(onsets(roll).nonzero()) == 2


def test_a_held_note_begins_once_however_unevenly_it_is_held():
    request = replace(FULL, keyboard="organ", beat_frames=22, stems=("keyboard",))
    roll = compose(request).roll
    played = uneven(Case(request, roll, roll)).roll
    assert on_grid(roll, request) == 1
    assert (on_grid(played, request) or 0) > 0.9


def test_a_chord_held_from_before_does_not_begin_within_a_part():
    request = replace(FULL, keyboard="organ", beat_frames=22, stems=("keyboard",))
    roll = compose(request).roll
    for first in range(100, 200, 3):
        within = slice(first, first + 150)
        assert on_grid(roll, request, within) == 1
        assert in_key(roll, request.key, within) == 1
    assert on_grid(roll, request, slice(0, 0)) is None
    assert in_key(roll, request.key, slice(0, 0)) is None


def test_a_latent_is_a_roll_five_times_as_large():
    roll = compose(FULL).roll
    torch.testing.assert_close(roll_of(SCALE * roll), roll)


@pytest.mark.parametrize("alike", [rhythm, harmony, likeness])
def test_a_piece_is_like_itself_and_unlike_others(alike: Callable[[Tensor, Tensor], float]):
    measured = cases(PIECES, own=True)
    own = torch.tensor([alike(each.roll, ghostly(each.roll)) for each in measured])
    others = torch.tensor([alike(each.roll, each.following) for each in measured])
    assert own.mean() > 0.75
    assert others.mean() < 0.3
    assert (own > others).float().mean() > 0.95


def test_likeness_of_rhythm_ignores_sounds_and_that_of_harmony_ignores_rhythm():
    roll = compose(FULL).roll
    other_key = compose(replace(FULL, tonic=8)).roll
    assert rhythm(roll, other_key) > 0.9
    assert harmony(roll, other_key) < 0.3
    late = roll.roll(3, 0)
    assert harmony(roll, late) > 0.8
    assert rhythm(roll, late) < 0.4


def test_kept_strokes_are_those_of_the_same_sound_and_frame():
    roll = compose(FULL).roll
    count = int((roll > 0.3).sum())
    assert kept(roll, roll) == (count, count)
    assert kept(roll, roll.roll(1, 0))[0] < 0.2 * count
    assert kept(roll, roll.roll(1, 1))[0] < 0.2 * count


def test_audio_of_a_roll_is_what_is_rendered():
    roll = compose(replace(FULL, seconds=4.0)).roll
    torch.testing.assert_close(audio_of(roll), render(roll, sounds()), atol=1e-5, rtol=0)


def test_si_sdr_of_a_stem_rises_as_the_others_grow_quiet():
    roll = compose(replace(FULL, seconds=8.0)).roll
    bass = stem_rolls(roll)["bass"]
    mixed, quieter = (roll_si_sdr(bass + gain * (roll - bass), bass) for gain in (1.0, 0.1))
    assert quieter == pytest.approx(mixed + 20, abs=0.6)


def test_a_click_is_a_break_in_the_wave():
    whole, other = (audio_of(compose(replace(FULL, seed=s)).roll) for s in (1, 2))
    at = 6.0
    cut = torch.cat([whole[:, : int(at * 48_000)], other[:, int(at * 48_000) :]], dim=1)
    assert click(whole, at) < CLICK
    assert click(cut, at) > CLICK
    assert click(cut, at + 1) < CLICK
