"""Flow edit: the official loop's numbers, and what the edit of a recording promises."""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from ace_core.errors import InvalidRequestError
from ace_core.sampling.dcw import DCW
from ace_core.sampling.flow_edit import EditOptions, check_edit, flow_edit
from ace_core.sampling.guidance import Guidance, GuidanceKind, GuidedVelocity
from ace_core.sampling.recipe import Recipe
from ace_core.sampling.schedules import timesteps
from ace_core.sampling.solvers import Solver, euler
from ace_core.task import EditWindow
from tests.ace_core.sampling.goldens import FRAMES, SEEDS, Toy, load
from tests.rounding import SINGLE, assert_same, difference

APG, CFG = Guidance(), Guidance(GuidanceKind.CFG, 4.0)
PLAIN = Guidance(scale=1.0)
STEADY = Guidance(norm_threshold=0.7, velocity_ema=0.2)
TIMES = timesteps(6, 3.0)
CASES: dict[str, tuple[Guidance, EditWindow]] = {
    "plain": (PLAIN, EditWindow()),
    "apg": (APG, EditWindow()),
    "window": (APG, EditWindow(0.2, 0.7)),
    "draws": (APG, EditWindow(0.0, 0.7, 3)),
    "clamp_ema": (STEADY, EditWindow(0.0, 0.7, 2)),
    "interval": (Guidance(interval=(0.5, 0.9)), EditWindow(0.0, 0.5, 2)),
}
Words = Callable[[Guidance], GuidedVelocity]


@pytest.fixture(scope="module")
def toy() -> Toy:
    return Toy()


def new_words(toy: Toy, guidance: Guidance) -> GuidedVelocity:
    return _guided(toy, "words", guidance)


def old_words(toy: Toy, guidance: Guidance) -> GuidedVelocity:
    return _guided(toy, "other", guidance)


def _guided(toy: Toy, words: str, guidance: Guidance) -> GuidedVelocity:
    """Under the words of that name, with silence for context."""

    def velocity(x: Tensor, t: float, name: str = words) -> Tensor:
        return toy.mixing(x, t, name, "silence")

    return GuidedVelocity(
        lambda x, t: (velocity(x, t), velocity(x, t, "null")),
        velocity,
        guidance,
    )


DRAWN = SINGLE  # draws are float32, and torch's differ in their last bits between processors


def draws(seeds: tuple[int, ...] = SEEDS) -> Iterator[Tensor]:
    return Recipe(seeds).noise_draws(FRAMES)


def edited(toy: Toy, guidance: Guidance, window: EditWindow, **changes: Any) -> Tensor:
    run = EditOptions(TIMES, window, draws())
    old = changes.pop("old", old_words(toy, guidance))
    source = changes.pop("source", toy.source)
    return flow_edit(old, new_words(toy, guidance), source, replace(run, **changes))


@pytest.mark.parametrize("name", CASES)
def test_an_edit_ends_where_the_official_loop_ends(toy: Toy, name: str) -> None:
    found = edited(toy, *CASES[name])
    assert difference(found, load("flow_edit")[name]) < DRAWN
    assert difference(found, toy.source) > 0.1


def test_eight_turbo_steps_end_where_the_official_loop_would_end(toy: Toy) -> None:
    window = EditWindow(0.0, 0.8)
    found = edited(toy, PLAIN, window, times=timesteps(8, 3.0))
    assert difference(found, load("flow_edit")["turbo"]) < DRAWN


@pytest.mark.parametrize("guidance", [PLAIN, APG, CFG, STEADY])
@pytest.mark.parametrize("count", [1, 2, 3])
def test_equal_words_give_the_source_back(toy: Toy, guidance: Guidance, count: int) -> None:
    window = EditWindow(n_avg=count)
    assert_same(edited(toy, guidance, window, old=new_words(toy, guidance)), toy.source)


@pytest.mark.parametrize("guidance", [PLAIN, APG, CFG, STEADY])
def test_an_empty_window_is_sampling_under_the_new_words(toy: Toy, guidance: Guidance) -> None:
    sampled = euler(new_words(toy, guidance), next(draws()).double(), TIMES)
    assert_same(edited(toy, guidance, EditWindow(0.0, 0.0)), sampled)


def test_an_empty_window_in_the_middle_starts_from_the_noised_source(toy: Toy) -> None:
    t = TIMES[3]
    start = (1 - t) * toy.source + t * next(draws()).double()
    sampled = euler(new_words(toy, APG), start, TIMES[3:])
    assert_same(edited(toy, APG, EditWindow(0.5, 0.5)), sampled)


def test_a_window_that_skips_every_step_leaves_the_source(toy: Toy) -> None:
    assert torch.equal(edited(toy, APG, EditWindow(1.0, 1.0)), toy.source)


@pytest.mark.parametrize("guidance", [PLAIN, APG, CFG, STEADY])
def test_a_narrow_window_changes_less_than_a_wide_one(toy: Toy, guidance: Guidance) -> None:
    narrow, wide = (edited(toy, guidance, EditWindow(share, 1.0)) for share in (0.67, 0.0))
    assert 0.01 < (narrow - toy.source).norm() < (wide - toy.source).norm()


@pytest.mark.parametrize("share", [0.0, 0.34, 0.5, 0.84, 1.0])
def test_words_that_differ_by_a_constant_move_the_source_by_it_for_the_time_that_is_left(
    toy: Toy, share: float
) -> None:
    run = EditOptions(TIMES, EditWindow(share, 1.0), draws())
    shift = torch.linspace(-1, 1, 64).double()
    moved = flow_edit(lambda x, t: 0 * x, lambda x, t: 0 * x + shift, toy.source, run)
    t = TIMES[int(6 * share)]
    assert_same(moved, toy.source - t * shift)


@pytest.mark.parametrize("count", [1, 2])
def test_an_item_of_a_batch_is_edited_as_it_is_alone(toy: Toy, count: int) -> None:
    window = EditWindow(0.0, 0.7, count)
    both = edited(toy, STEADY, window)
    for item, seed in enumerate(SEEDS):
        part = slice(item, item + 1)
        alone = Toy()
        for name in ("words", "other"):
            alone.inputs[name] = toy.inputs[name][part]
        run = EditOptions(TIMES, window, draws((seed,)))
        velocities = (old_words(alone, STEADY), new_words(alone, STEADY))
        assert_same(flow_edit(*velocities, toy.source[part], run), both[part])


def test_the_words_have_states_of_their_own(toy: Toy) -> None:
    shared = new_words(toy, APG)
    run = EditOptions(TIMES, EditWindow(), draws())
    mixed = flow_edit(shared, shared, toy.source, run)
    assert difference(mixed, toy.source) > 1e-3  # APG's momentum passed from one to the other
    own = edited(toy, APG, EditWindow(), old=new_words(toy, APG))
    assert_same(own, toy.source)


@pytest.mark.parametrize("guidance", [APG, STEADY])
def test_the_order_of_the_draws_of_a_step_does_not_matter(toy: Toy, guidance: Guidance) -> None:
    window, taken = EditWindow(0.0, 1.0, 3), draws()
    listed = [next(taken) for _ in range(18)]
    turned = [draw for step in range(6) for draw in reversed(listed[3 * step : 3 * step + 3])]
    first, second = (edited(toy, guidance, window, noise=iter(each)) for each in (listed, turned))
    assert_same(first, second)


def test_equal_draws_are_one_draw(toy: Toy) -> None:
    one = list(zip(range(6), draws(), strict=False))
    twice = [draw for _, draw in one for _ in range(2)]
    several = edited(toy, STEADY, EditWindow(0.0, 1.0, 2), noise=iter(twice))
    assert_same(several, edited(toy, STEADY, EditWindow()))


def test_the_preview_of_a_step_is_numbered_in_the_schedule_and_ends_in_the_result(
    toy: Toy,
) -> None:
    seen: list[tuple[int, Tensor]] = []
    done = edited(toy, APG, EditWindow(0.34, 0.67), on_step=lambda *each: seen.append(each))
    assert [step for step, _ in seen] == [2, 3, 4, 5]
    assert_same(seen[-1][1], done)


def test_a_velocity_without_draws_is_taken_as_it_is(toy: Toy) -> None:
    run = EditOptions(TIMES, EditWindow(0.0, 0.7, 2), draws())
    plain = flow_edit(toy.free_single, toy.single, toy.source, run)
    old, new = toy.free_single, toy.single
    wrapped = (GuidedVelocity(lambda x, t: (x, x), each, PLAIN) for each in (old, new))
    run = replace(run, noise=draws())
    assert_same(flow_edit(*wrapped, toy.source, run), plain)


@pytest.mark.parametrize("given", [(-0.1, 1.0), (0.0, 1.1), (0.6, 0.5), (float("nan"), 1.0)])
def test_a_window_that_cannot_be_is_refused(given: tuple[float, float]) -> None:
    with pytest.raises(InvalidRequestError, match=r"`n_min` and `n_max` within 0 to 1"):
        EditWindow(*given)


def test_no_draw_is_refused() -> None:
    with pytest.raises(InvalidRequestError, match="1 or more"):
        EditWindow(n_avg=0)


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        ((Solver.HEUN, None, None), "the solver heun"),
        ((Solver.SDE, None, None), "the solver sde"),
        ((None, Guidance(GuidanceKind.ADG), None), "ADG"),
        ((Solver.EULER, APG, DCW()), "DCW double"),
    ],
)
def test_what_an_edit_cannot_follow_is_refused(choices: Any, said: str) -> None:
    with pytest.raises(InvalidRequestError, match=said):
        check_edit(*choices)
    check_edit(Solver.EULER, APG)
