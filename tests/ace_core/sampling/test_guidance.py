"""Guidance formulas against the official ones, the choice between them, and the guided steps."""

import math
from collections.abc import Iterator
from fractions import Fraction

import pytest
import torch
from torch import Tensor
from torch.nn import functional as F

from ace_core.errors import InvalidScheduleError
from ace_core.sampling.guidance import (
    Guidance,
    GuidanceKind,
    GuidedVelocity,
    adg,
    apg,
    cfg,
    clamp_norm,
    smooth,
)
from ace_core.sampling.recipe import noise
from ace_core.sampling.schedules import TURBO_SHIFTS, TURBO_STEPS, timesteps
from ace_core.sampling.solvers import euler, heun
from tests.ace_core.sampling.goldens import load
from tests.rounding import RECORDED, assert_same, difference

SCALES = (7.0, 3.5, 1.5)  # of the three golden steps


@pytest.fixture(scope="module")
def golden() -> dict[str, Tensor]:
    return load("guidance")


def test_cfg_equals_the_official_formula(golden: dict[str, Tensor]):
    guided = cfg(golden["cond_0"], golden["uncond_0"], 7.0)
    assert difference(guided, golden["cfg"]) < RECORDED


def test_apg_equals_the_official_formula_over_three_steps_of_momentum(golden: dict[str, Tensor]):
    momentum = None
    for step, scale in enumerate(SCALES):
        cond, uncond = golden[f"cond_{step}"], golden[f"uncond_{step}"]
        guided, momentum = apg(cond, uncond, scale, momentum)
        assert difference(guided, golden[f"apg_{step}"]) < RECORDED
        assert difference(momentum, golden[f"momentum_{step}"]) < RECORDED


@pytest.mark.parametrize(("step", "t"), [(0, 1.0), (1, 0.6429), (2, 0.3)])
def test_adg_equals_the_official_formula(golden: dict[str, Tensor], step: int, t: float):
    # frame 2 has no angle at all, frame 3 one too small for its sine
    cond, uncond = golden[f"cond_{step}"], golden[f"adg_uncond_{step}"]
    guided = adg(golden["x"], t, (cond, uncond), SCALES[step])
    assert difference(guided, golden[f"adg_{step}"]) < RECORDED


@pytest.mark.parametrize("angle", [0.004, 0.05, 0.08, 0.3, 1.0])
def test_adg_turns_a_guess_by_the_angle_times_the_scale_up_to_thirty_degrees(angle: float):
    # in the plane of the first two channels: without words along the first, with words at `angle`
    without, with_words = torch.zeros(2, 1, 1, 64, dtype=torch.float64)
    without[..., 0] = 1
    with_words[..., 0], with_words[..., 1] = math.cos(angle), math.sin(angle)
    turned = min(6.001 * angle, 3.14 / 6)
    expected = math.cos(turned) * with_words
    expected[..., 1] += math.sin(turned)
    guided = adg(torch.zeros_like(without), 1.0, (-with_words, -without), 7.0)
    # the formula adds 1e-8 to a squared length
    torch.testing.assert_close(-guided, expected, atol=1e-7, rtol=0)


def test_apg_at_scale_one_is_the_velocity_with_words():
    cond, uncond = noise([1], 8), noise([2], 8)
    assert torch.equal(apg(cond, uncond, 1.0)[0], cond)


def test_apg_adds_nothing_along_the_velocity_over_time():
    cond, uncond = noise([1], 8).double(), noise([2], 8).double()
    added = apg(cond, uncond, 7.0)[0] - cond
    along = (added * cond).sum(dim=1)  # [B, C]
    torch.testing.assert_close(along, torch.zeros_like(along), atol=1e-9, rtol=0)


def test_apg_caps_what_it_adds_per_channel():
    cond, uncond = noise([1], 50).double(), 100 * noise([2], 50).double()
    added = (apg(cond, uncond, 2.0)[0] - cond).norm(dim=1)  # [B, C]
    assert (added <= 2.5 + 1e-9).all() and added.max() > 2


def test_the_cap_lets_a_small_difference_pass():
    cond = noise([1], 8).double()
    small = 1e-3 * noise([2], 8).double()
    _, momentum = apg(cond, cond - small, 7.0)
    assert_same(momentum, small)


def test_clamp_shortens_only_the_items_that_are_too_long():
    x = noise([1, 2], 8).double()
    v = torch.cat([10 * x[:1], 0.5 * x[1:]])
    clamped = clamp_norm(v, x, 2.0)
    assert_same(clamped, torch.cat([2 * x[:1], 0.5 * x[1:]]))


def test_smoothing_mixes_in_a_share_of_the_previous_velocity():
    v, previous = noise([1], 4), noise([2], 4)
    torch.testing.assert_close(smooth(v, previous, 0.1), 0.9 * v + 0.1 * previous)
    assert smooth(v, None, 0.1) is v and smooth(v, previous, 0.0) is v


class Counted:
    """A toy model with words and without; counts its forwards and keeps the times it saw."""

    def __init__(self) -> None:
        self.pairs: list[float] = []
        self.singles: list[float] = []

    def pair(self, x: Tensor, t: float) -> tuple[Tensor, Tensor]:
        self.pairs.append(t)
        return torch.tanh(x) + t, 0.3 * x - t

    def single(self, x: Tensor, t: float) -> Tensor:
        self.singles.append(t)
        return torch.tanh(x) + t

    def guided(self, guidance: Guidance) -> GuidedVelocity:
        return GuidedVelocity(self.pair, self.single, guidance)


@pytest.mark.parametrize("kind", GuidanceKind)
@pytest.mark.parametrize("solver", [euler, heun])
def test_the_whole_interval_equals_no_interval(kind: GuidanceKind, solver):
    def run(guidance: Guidance) -> Tensor:
        return solver(Counted().guided(guidance), noise([1], 9), timesteps(6, 3.0))

    whole = run(Guidance(kind=kind, interval=(0.0, 1.0)))
    assert torch.equal(whole, run(Guidance(kind=kind)))
    assert not torch.equal(whole, run(Guidance(kind=kind, interval=(0.0, 0.9))))


def test_outside_the_interval_there_is_one_forward_and_both_ends_are_inside():
    model, times = Counted(), timesteps(4, 1.0)
    euler(model.guided(Guidance(interval=(0.5, 0.75))), noise([1], 9), times)
    assert model.pairs == [0.75, 0.5] and model.singles == [1.0, 0.25]


def test_scale_one_never_asks_for_the_velocity_without_words():
    model, times, start = Counted(), timesteps(4, 1.0), noise([1], 9)
    landed = heun(model.guided(Guidance(scale=1.0)), start, times)
    assert not model.pairs and len(model.singles) == 8
    assert torch.equal(landed, heun(model.single, start, times))


def test_a_corrector_guides_plainly_and_leaves_the_momentum_alone():
    model = Counted()
    x, other = noise([1], 9).double(), noise([2], 9).double()
    corrected, straight = model.guided(Guidance()), model.guided(Guidance())
    corrected(x, 1.0)
    straight(x, 1.0)
    assert_same(corrected.corrector(other, 0.5), cfg(*model.pair(other, 0.5), 7.0))
    assert torch.equal(corrected(other, 0.5), straight(other, 0.5))


def test_momentum_is_carried_and_does_not_advance_outside_the_interval():
    x = noise([1], 9).double()
    model = Counted()
    through = model.guided(Guidance(interval=(0.0, 0.9)))
    through(x, 1.0)
    assert_same(through(x, 0.5), apg(*model.pair(x, 0.5), 7.0)[0])
    second = through(x, 0.5)
    assert not torch.equal(second, apg(*model.pair(x, 0.5), 7.0)[0])


def test_adg_is_never_divided_by_a_time_of_zero():
    model = Counted()
    guidance = Guidance(kind=GuidanceKind.ADG)
    assert torch.isfinite(heun(model.guided(guidance), noise([1], 9), timesteps(3, 1.0))).all()
    assert 0.0 in model.pairs


def test_guidance_is_computed_in_the_precision_of_the_latent():
    x = noise([1], 9)
    cond, uncond = noise([2], 9).to(torch.bfloat16), noise([3], 9).to(torch.bfloat16)
    guided = GuidedVelocity(lambda x, t: (cond, uncond), lambda x, t: cond, Guidance())
    assert_same(guided(x, 1.0), apg(cond.float(), uncond.float(), 7.0)[0])


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"scale": 0.5}, "guidance scale of 0.5"),
        ({"scale": math.nan}, "guidance scale of nan"),
        ({"scale": math.inf}, "guidance scale of inf"),
        ({"interval": (0.8, 0.2)}, "starts at 0.8 and ends at 0.2"),
        ({"interval": (-0.1, 1.0)}, "leaves 0 to 1"),
        ({"interval": (0.0, 1.1)}, "leaves 0 to 1"),
        ({"interval": (math.nan, 1.0)}, "leaves 0 to 1"),
        ({"kind": GuidanceKind.ADG, "scale": 1.0}, "ADG was chosen with a guidance scale of 1"),
        ({"norm_threshold": 0.0}, "norm threshold of 0.0"),
        ({"norm_threshold": math.nan}, "norm threshold of nan"),
        ({"velocity_ema": 1.0}, "smoothing of 1.0"),
        ({"velocity_ema": -0.1}, "smoothing of -0.1"),
    ],
)
def test_guidance_that_means_nothing_is_refused_at_birth(fields: dict, message: str):
    with pytest.raises(InvalidScheduleError, match=message):
        Guidance(**fields)


SHIFTS = ("0.5", "1", "2", "3")
ENDS = tuple((Fraction(low, 100), Fraction(low + 60, 100)) for low in range(0, 41, 10))


def exact_times(steps: int, shift: Fraction) -> list[Fraction]:
    even = [Fraction(steps - step, steps) for step in range(steps + 1)]
    return [shift * t / (1 + (shift - 1) * t) for t in even]


def guided(times: list[float], low: Fraction, high: Fraction) -> list[bool]:
    guidance = Guidance(interval=(float(low), float(high)))
    return [guidance.covers(t) for t in times]


def single(times: list[float]) -> list[float]:
    """The times as the sigmas of a host hold them."""
    return torch.tensor(times, dtype=torch.float32).tolist()


def official_times(steps: int, shift: float) -> Tensor:
    """As the official loop of base and sft makes them in float32."""
    t = torch.linspace(1.0, 0.0, steps + 1, dtype=torch.float32)
    return t if shift == 1 else shift * t / (1 + (shift - 1) * t)


def schedules(shift: str) -> Iterator[tuple[int, list[Fraction]]]:
    for steps in range(1, 201):
        yield steps, exact_times(steps, Fraction(shift))


@pytest.mark.parametrize("shift", SHIFTS)
def test_an_interval_guides_the_steps_of_exact_arithmetic_in_the_library_and_in_a_host(shift: str):
    at_an_end = 0
    for steps, exact in schedules(shift):
        times = timesteps(steps, float(shift))
        for low, high in ENDS:
            expected = [low <= t <= high for t in exact]
            assert guided(times, low, high) == expected
            assert guided(single(times), low, high) == expected
            at_an_end += sum(t in (low, high) for t in exact)
    assert at_an_end > 100  # steps that rounding could lose


@pytest.mark.parametrize("shift", SHIFTS)
def test_the_official_formula_guides_the_same_steps_but_may_lose_those_at_an_end(shift: str):
    for steps, exact in schedules(shift):
        theirs = official_times(steps, float(shift))
        ours = timesteps(steps, float(shift))
        for low, high in ENDS:
            found = ((theirs >= float(low)) & (theirs <= float(high))).tolist()
            for t, here, there in zip(exact, guided(ours, low, high), found, strict=True):
                assert here == there or (here and t in (low, high))


@pytest.mark.parametrize("shift", TURBO_SHIFTS)
def test_an_interval_on_the_times_of_turbo_keeps_both_ends(shift: float):
    times = timesteps(TURBO_STEPS, shift)
    exact = exact_times(TURBO_STEPS, Fraction(shift))
    for first in range(TURBO_STEPS):
        high, low = exact[first], exact[-2]
        expected = [low <= t <= high for t in exact]
        assert guided(times, low, high) == guided(single(times), low, high) == expected


@pytest.mark.parametrize("steps", [10, 20, 30, 40, 60])
def test_the_step_at_the_lower_end_is_guided(steps: int):
    times = timesteps(steps, 1.0)
    place = 4 * steps // 5  # t = 0.2
    for given in (times, single(times)):
        covered = guided(given, Fraction(1, 5), Fraction(4, 5))
        assert covered[place] and not covered[place + 1]
        assert covered[steps // 5] and not covered[steps // 5 - 1]


def official_adg(x, t, cond, uncond, scale, most, norm):
    """adg_forward of the official apg_guidance.py, stated anew, in float64."""
    x, cond, uncond = x.double(), cond.double(), uncond.double()
    a, b = x - t * cond, x - t * uncond
    theta = torch.acos((F.normalize(a, dim=-1) * F.normalize(b, dim=-1)).sum(-1, keepdim=True))
    weight = scale - 1 + 1e-3
    turned = (weight * theta).clamp(-most, most)
    along = ((a - b) * b).sum(-1, keepdim=True) / (b * b).sum(-1, keepdim=True) * b
    found = turned.cos() * a + (a - b - along) * turned.sin() / theta.sin()
    if norm:
        found = found * a.norm(dim=1, keepdim=True) / found.norm(dim=1, keepdim=True)
    return (x - found) / t


@pytest.mark.parametrize(
    ("kind", "most", "norm"),
    [
        (GuidanceKind.ADG, 3.14 / 6, False),
        (GuidanceKind.ADG_W_NORM, 3.14 / 3, True),
        (GuidanceKind.ADG_WO_CLIP, math.inf, False),
    ],
)
def test_each_kind_of_adg_is_the_official_formula(kind: GuidanceKind, most: float, norm: bool):
    x, cond, uncond = (torch.randn(2, 30, 64, dtype=torch.float64) for _ in range(3))
    for t, scale in ((0.9, 1.5), (0.4, 7.0)):
        found = adg(x, t, (cond, uncond), scale, kind)
        expected = official_adg(x, t, cond, uncond, scale, most, norm)
        torch.testing.assert_close(found, expected, rtol=1e-6, atol=1e-6)
