"""The training loop goes on where it was stopped; captions and the clock say what is so."""

import random
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from tools.miniature.diffusion.clock import MARKS, silence
from tools.miniature.training.loop import Run, rate_at, train
from tools.miniature.world.captions import free_caption, written_tempo
from tools.miniature.world.channels import BEAT_FRAMES, FIRST_FRAME
from tools.miniature.world.request import at_tempo, draw


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


@pytest.mark.parametrize("place", [0, 5, 15])
def test_the_silence_marks_the_beats_of_every_tempo(place: int) -> None:
    beat, latent = BEAT_FRAMES[place], silence(300)[0, :, MARKS * place : MARKS * (place + 1)]
    beats, eighths, fours, threes = (latent[:, n].nonzero().flatten().tolist() for n in range(4))
    assert beats[:2] == [FIRST_FRAME, FIRST_FRAME + beat]
    assert eighths[0] == FIRST_FRAME + beat - beat // 2
    assert fours[1] - fours[0] == 4 * beat
    assert threes[1] - threes[0] == 3 * beat
