"""The pieces are music: in their key, tempo and meter, with a form, each part on its own."""

from dataclasses import replace

import pytest
import torch

from ace_core.constants import BPM_RANGE, LATENT_HOP, SAMPLE_RATE
from ace_core.measure.measurement import measure
from tools.miniature.world.captions import INSTRUMENTS, caption
from tools.miniature.world.channels import FIRST_FRAME, KEYBOARD, KICK, RESTRIKE, STEMS, tempo
from tools.miniature.world.form import Bar, Section
from tools.miniature.world.harmony import Harmony
from tools.miniature.world.piece import compose
from tools.miniature.world.render import render, stem_rolls
from tools.miniature.world.request import KEYBOARDS, METERS, Request, at_tempo, beats, draw
from tools.miniature.world.sounds import (
    CLASSES,
    GRID,
    KEYBOARD_DECAY,
    KEYBOARD_FADE,
    held_frequencies,
    hertz,
    sounds,
)
from tools.miniature.world.strokes import KEYBOARD_NOTES

SEEDS = range(40)
FULL = Request(1, 20.0, beat_frames=15, meter=4, tonic=2, mode="minor", stems=tuple(STEMS))


@pytest.fixture(scope="module")
def played() -> torch.Tensor:
    return sounds()


def test_every_channel_belongs_to_one_stem():
    assert sorted(channel for stem in STEMS.values() for channel in stem) == list(range(64))


def test_one_seed_makes_one_piece_and_another_seed_another():
    assert torch.equal(compose(draw(3)).roll, compose(draw(3)).roll)
    assert caption(draw(3)) == caption(draw(3))
    rolls = {compose(draw(seed)).roll.numpy().tobytes() for seed in SEEDS}
    assert len(rolls) == len(SEEDS)


def test_what_was_not_asked_for_is_silent_and_the_others_are_as_before():
    whole = stem_rolls(compose(FULL).roll)
    assert set(whole) == set(STEMS)
    for left_out in STEMS:
        kept = tuple(name for name in STEMS if name != left_out)
        stems = stem_rolls(compose(replace(FULL, stems=kept)).roll)
        assert set(stems) == set(kept)
        assert all(torch.equal(stems[name], whole[name]) for name in kept)


@pytest.mark.parametrize("seed", SEEDS)
def test_sections_follow_each_other_and_the_end_rings_out(seed: int):
    request = draw(seed)
    piece = compose(request)
    starts = [section.first for section in piece.sections]
    ends = [section.first + section.bars for section in piece.sections]
    assert starts == [0, *ends[:-1]]
    assert len(piece.chords) == ends[-1]
    assert all(section.bars > 1 for section in piece.sections[1:-1])
    last = FIRST_FRAME + ends[-1] * request.bar_frames
    assert request.frames - request.bar_frames < last + 6 <= request.frames
    assert piece.chords[-1] == 0
    assert not piece.roll[:FIRST_FRAME].any()


@pytest.mark.parametrize("seed", SEEDS)
def test_chords_are_those_of_the_key_and_its_progression(seed: int):
    request = replace(draw(seed), stems=("keyboard",), keyboard=KEYBOARDS[1])
    piece = compose(request)
    harmony = Harmony(request.tonic, request.mode)
    for index, chord in enumerate(piece.chords):
        start = FIRST_FRAME + index * request.bar_frames
        bar = piece.roll[start : start + request.bar_frames, KEYBOARD.start : KEYBOARD.stop]
        classes = {KEYBOARD_NOTES[channel] % 12 for channel in bar.any(0).nonzero().flatten()}
        assert classes == set(harmony.triad(chord))


def test_the_dominant_of_a_minor_key_leads_to_its_tonic():
    harmony = Harmony(9, "minor")
    assert harmony.triad(4) == (4, 8, 11)  # E major in A minor
    assert harmony.triad(0) == (9, 0, 4)


@pytest.mark.parametrize("meter", METERS)
def test_eighths_are_even_but_for_half_a_frame(meter: int):
    for frames in beats(meter):
        request = replace(FULL, meter=meter, beat_frames=frames)
        bar = Bar(request, Section("verse", 0, 4), 1, last=False)
        even = request.bar_frames / bar.eighths
        for eighth in range(bar.eighths + 1):
            off = bar.frame(eighth) - bar.start - eighth * even
            assert off in ((0.0, 0.5) if meter != 6 and eighth % 2 else (0.0,))


def test_a_kick_begins_every_bar_between_intro_and_end():
    request = replace(FULL, stems=("drums",))
    piece = compose(request)
    assert piece.sections[0].name == "intro"
    for index in range(piece.sections[0].bars, len(piece.chords)):
        assert piece.roll[FIRST_FRAME + index * request.bar_frames, KICK] > 0.8


def test_the_motif_returns():
    """Bars of a verse that have the same place in the motif begin their notes alike."""
    request = replace(FULL, stems=("synth",), seconds=40.0, beat_frames=10)
    piece = compose(request)
    verse = next(section for section in piece.sections if section.name == "verse")
    first, third = (
        piece.roll[start : start + request.bar_frames].any(1)
        for start in (FIRST_FRAME + (verse.first + bar) * request.bar_frames for bar in (0, 2))
    )
    assert first.any()
    assert torch.equal(first, third)


@pytest.mark.parametrize("bpm", range(BPM_RANGE[0], BPM_RANGE[1] + 1, 7))
def test_any_tempo_has_one_near_it_or_an_octave_away(bpm: int):
    found = tempo(at_tempo(FULL, bpm).beat_frames)
    ratio = min(abs(found / (bpm * octave) - 1) for octave in (0.25, 0.5, 1, 2))
    assert ratio < 0.06 if found > 110 else ratio < 0.042


@pytest.mark.parametrize(
    "wrong", [{"beat_frames": 9}, {"meter": 5}, {"stems": ()}, {"meter": 6, "beat_frames": 16}]
)
def test_what_the_world_does_not_have_is_refused(wrong: dict[str, object]):
    with pytest.raises(ValueError, match="no such piece"):
        replace(FULL, **wrong)


def test_the_caption_names_who_plays():
    for seed in SEEDS:
        request = draw(seed)
        names = [request.keyboard if stem == "keyboard" else stem for stem in request.stems]
        text = caption(request)
        for name, words in INSTRUMENTS.items():
            assert any(word in text for word in words) == (name in names)


@pytest.mark.parametrize("midi", KEYBOARD_NOTES)
def test_a_held_note_is_in_tune_and_its_strokes_can_be_told_apart(midi: int):
    partials = [1.0, 2.0, 3.0, 4.0]
    frequencies = held_frequencies(hertz(midi), partials)
    cents = [
        1200 * float(torch.log2(torch.tensor(f / (hertz(midi) * h))))
        for f, h in zip(frequencies, partials, strict=True)
    ]
    assert abs(cents[0]) < 15
    assert max(map(abs, cents)) < 25
    turns = {min(m % RESTRIKE, -m % RESTRIKE) for m in (round(f / GRID) for f in frequencies)}
    assert len(turns) == CLASSES


def test_a_held_note_is_one_steady_tone(played):
    """Struck anew as it decays, it goes on as if it had been one."""
    period = RESTRIKE * LATENT_HOP
    decay = torch.exp(torch.tensor(-period / SAMPLE_RATE / KEYBOARD_DECAY))
    roll = torch.zeros(4 * RESTRIKE, 64)
    for stroke in range(4):
        roll[stroke * RESTRIKE, KEYBOARD[3]] = decay**stroke
    audio = render(roll, played)
    begin = int(KEYBOARD_FADE * SAMPLE_RATE) + 200
    first, later = audio[:, begin:period], audio[:, begin + 2 * period : 3 * period]
    torch.testing.assert_close(later, first * decay**2, atol=2e-4, rtol=0)
    assert first.abs().max() > 0.03


def test_tempo_and_key_are_heard_as_they_were_asked(played):
    """Measured over 24 seeds: the tempo in all but octaves in 24, the key in 23."""
    right = []
    for seed in range(8):
        piece = compose(draw(seed))
        heard = measure(render(piece.roll, played), SAMPLE_RATE)
        assert heard.tempo is not None
        assert heard.key is not None
        octaves = [heard.tempo.bpm / piece.request.bpm * o for o in (1, 2, 0.5, 3, 1 / 3)]
        assert any(abs(octave - 1) < 0.04 for octave in octaves)
        right.append(heard.key.name == piece.request.key)
    assert sum(right) >= 7
