"""The training loop goes on where it was stopped; captions and the clock say what is so."""

import random
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tools.miniature.diffusion.clock import CHANNELS, silence
from tools.miniature.diffusion.train import OUTSIDE, squared_error
from tools.miniature.evaluation.strokes import onsets
from tools.miniature.evaluation.tempo import slots
from tools.miniature.training.loop import Run, rate_at, train
from tools.miniature.world.captions import free_caption, written_tempo
from tools.miniature.world.channels import BEAT_FRAMES, FIRST_FRAME
from tools.miniature.world.form import Accent, accents
from tools.miniature.world.piece import compose
from tools.miniature.world.request import METERS, Request, at_tempo, beats, draw


def fit(run: Run, seen: list[int]) -> nn.Linear:
    """A line through points on y = 3 x."""
    torch.manual_seed(0)
    model = nn.Linear(1, 1)

    def loss(step: int) -> Tensor:
        seen.append(step)
        x = torch.randn(16, 1, generator=torch.Generator().manual_seed(step))
        return (model(x) - 3 * x).square().mean()

    trained = train(model, loss, lambda _: "", run)
    assert isinstance(trained, nn.Linear)
    return trained


def test_a_run_goes_on_where_it_was_stopped(tmp_path: Path) -> None:
    said, seen = list[str](), list[int]()
    state = tmp_path / "line.pt"
    fit(Run(0.02, state, rate=0.1, say=said.append), seen)
    first = len(seen)
    fit(Run(0.05, state, rate=0.1, say=said.append), seen)
    assert first > 10
    assert seen == list(range(len(seen)))  # no example twice
    assert "0 min left" in said[-1]


def test_a_finished_run_is_not_trained_again(tmp_path: Path) -> None:
    seen = list[int]()
    run = Run(0.02, tmp_path / "line.pt", rate=0.1, say=lambda _: None)
    once = fit(run, seen).weight.clone()
    count = len(seen)
    assert torch.equal(fit(run, seen).weight, once)
    assert len(seen) == count


def test_the_rate_rises_stays_and_falls() -> None:
    assert rate_at(0, 0) == pytest.approx(0.01)
    assert rate_at(1000, 0.5) == 1
    assert rate_at(1000, 1) == pytest.approx(0.02)


@pytest.mark.parametrize("seed", range(40))
def test_a_written_tempo_is_played_as_the_requests(seed: int) -> None:
    request = draw(seed)
    bpm = written_tempo(request, random.Random(seed))
    assert at_tempo(request, bpm).beat_frames == request.beat_frames


def test_a_caption_says_the_facts_that_it_claims() -> None:
    for seed in range(60):
        request = draw(seed)
        said = free_caption(request, 101, random.Random(seed))
        assert ("101" in said.text) == ("bpm" in said.facts)
        assert (request.mode in said.text) == ("key" in said.facts)


@pytest.mark.parametrize(("meter", "beat"), [(m, beat) for m in METERS for beat in beats(m)])
def test_the_silence_marks_where_a_sound_may_begin(meter: int, beat: int) -> None:
    """As pieces place them; sixteenths, and thirds of a beat, are below zero."""
    place = CHANNELS * (beat - BEAT_FRAMES[0])
    whole, eighths, fours, threes = silence(300)[0, :, place : place + CHANNELS].unbind(1)
    request = Request(0, 12.0, beat, meter, tonic=0, mode="major", stems=("drums",))
    marks = (whole, threes) if meter == 6 else (whole, eighths, fours.clamp(max=0))
    marked = torch.stack(marks).any(dim=0).nonzero().flatten().tolist()
    bars = range(FIRST_FRAME, 300, request.bar_frames)
    allowed = [bar + slot for bar in bars for slot in slots(request)]
    assert marked == [frame for frame in sorted({*allowed}) if frame < 300]
    for downbeats, length in ((fours, 4), (threes, 3)):
        found = (downbeats > 0).nonzero().flatten().tolist()
        assert found == [*range(FIRST_FRAME, 300, length * beat)]


@pytest.mark.parametrize("seed", range(12))
def test_no_sound_begins_but_on_an_accent(seed: int) -> None:
    request = draw(seed)
    begun = onsets(compose(request).roll).any(dim=1)
    found = accents(request, request.frames)
    assert (found[begun] != Accent.NONE).all()
    assert (found == Accent.DOWNBEAT).nonzero().diff(dim=0).unique().tolist() == [
        request.bar_frames
    ]
    assert int((found >= Accent.BEAT).sum()) == len(
        range(FIRST_FRAME, request.frames, request.beat_frames)
    )


def test_frames_that_the_source_gives_count_less() -> None:
    found, asked = torch.randn(2, 8, 64), torch.randn(2, 8, 64)
    by_frame = (found - asked).square().mean(dim=2)
    mask = torch.zeros(2, 8)
    mask[:, 2:5] = 1
    losses = squared_error(found, asked, mask)
    inside, outside = by_frame[:, 2:5].sum(dim=1), by_frame[:, [0, 1, 5, 6, 7]].sum(dim=1)
    torch.testing.assert_close(losses, (inside + OUTSIDE * outside) / (3 + 5 * OUTSIDE))
    everywhere = squared_error(found, asked, torch.ones(2, 8))
    torch.testing.assert_close(everywhere, by_frame.mean(dim=1))
