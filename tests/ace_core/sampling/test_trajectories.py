"""Whole runs against the official generate_audio loops of turbo, base and sft."""

import pytest
import torch
from torch import Tensor

from ace_core.sampling.cover import SwitchedVelocity, start_from_source, switch_time
from ace_core.sampling.guidance import Guidance, GuidanceKind, GuidedVelocity
from ace_core.sampling.recipe import noise
from ace_core.sampling.repaint import blend, inject
from ace_core.sampling.schedules import snap_to_turbo, timesteps
from ace_core.sampling.solvers import euler, heun, sde
from tests.ace_core.sampling.goldens import FRAMES, SEEDS, Toy, load
from tests.rounding import RECORDED, SINGLE, difference

TURBO = timesteps(8, 3.0)
BASE = timesteps(6, 3.0)
CUSTOM = [0.97, 0.76, 0.615, 0.5, 0.395, 0.28, 0.18, 0.085, 0.0]
STEADY = {"norm_threshold": 0.7, "velocity_ema": 0.2}
ADG = Guidance(kind=GuidanceKind.ADG)


@pytest.fixture(scope="module")
def toy() -> Toy:
    return Toy()


@pytest.fixture(scope="module")
def turbo() -> dict[str, Tensor]:
    return load("turbo")


@pytest.fixture(scope="module")
def base() -> dict[str, Tensor]:
    return load("base")


@pytest.fixture
def draws():
    """The draws of the global generator, which the official SDE takes in order."""
    return iter(load("draws")["draws"])


def _guided(toy: Toy, guidance: Guidance) -> GuidedVelocity:
    return GuidedVelocity(toy.pair, toy.single, guidance)


def _switched(toy: Toy, guidance: Guidance, at: float) -> GuidedVelocity:
    pair = SwitchedVelocity(toy.pair, toy.free_pair, at)
    return GuidedVelocity(pair, SwitchedVelocity(toy.single, toy.free_single, at), guidance)


def test_noise_equals_the_official_noise(toy: Toy):
    assert difference(noise(SEEDS, FRAMES), toy.noise) < RECORDED


@pytest.mark.parametrize("shift", [1, 2, 3])
def test_turbo_euler(toy: Toy, turbo: dict[str, Tensor], shift: int):
    landed = euler(toy.single, toy.noise, timesteps(8, float(shift)))
    assert difference(landed, turbo[f"euler_shift_{shift}"]) < SINGLE


def test_turbo_sde_with_the_same_draws(toy: Toy, turbo: dict[str, Tensor], draws):
    landed = sde(toy.single, toy.noise, TURBO, draws)
    assert difference(landed, turbo["sde"]) < SINGLE


def test_turbo_heun_leaves_the_last_step_to_euler(toy: Toy, turbo: dict[str, Tensor]):
    landed = heun(toy.single, toy.noise, TURBO, correct_last=False)
    assert difference(landed, turbo["heun"]) < SINGLE


def test_turbo_clamp_and_smoothing(toy: Toy, turbo: dict[str, Tensor]):
    landed = euler(_guided(toy, Guidance(scale=1.0, **STEADY)), toy.noise, TURBO)
    assert difference(landed, turbo["clamp_ema"]) < SINGLE


def test_turbo_heun_with_clamp_and_smoothing(toy: Toy, turbo: dict[str, Tensor]):
    velocity = _guided(toy, Guidance(scale=1.0, **STEADY))
    landed = heun(velocity, toy.noise, TURBO, correct_last=False)
    assert difference(landed, turbo["heun_clamp_ema"]) < SINGLE


def test_turbo_custom_times_are_snapped(toy: Toy, turbo: dict[str, Tensor]):
    landed = euler(toy.single, toy.noise, snap_to_turbo(CUSTOM).times)
    assert difference(landed, turbo["custom"]) < SINGLE


@pytest.mark.parametrize("solver", ["euler", "heun"])
def test_turbo_cover_strength_switches_at_a_step(toy: Toy, turbo: dict[str, Tensor], solver: str):
    velocity = SwitchedVelocity(toy.single, toy.free_single, switch_time(TURBO, 0.4))
    if solver == "euler":
        landed, name = euler(velocity, toy.noise, TURBO), "cover_strength"
    else:
        landed = heun(velocity, toy.noise, TURBO, correct_last=False)
        name = "cover_strength_heun"
    assert difference(landed, turbo[name]) < SINGLE


def test_turbo_cover_noise_counts_the_switch_from_the_steps_left(
    toy: Toy, turbo: dict[str, Tensor]
):
    x, times = start_from_source(toy.noise, toy.inputs["context"], TURBO, 0.3)
    velocity = SwitchedVelocity(toy.single, toy.free_single, switch_time(times, 0.5))
    assert difference(euler(velocity, x, times), turbo["cover_noise"]) < SINGLE


@pytest.mark.parametrize(("name", "steps"), [("repaint", 4), ("repaint_conservative", 8)])
def test_turbo_repaint_injects_and_blends(
    toy: Toy, turbo: dict[str, Tensor], name: str, steps: int
):
    after_step = inject(toy.mask, toy.source, toy.noise, steps)
    x = euler(toy.single, toy.noise, TURBO, after_step=after_step)
    landed = blend(x, toy.source, toy.mask, 3)
    assert difference(landed, turbo[name]) < SINGLE


@pytest.mark.parametrize(
    ("name", "guidance"),
    [
        ("plain", Guidance(scale=1.0)),
        ("apg", Guidance()),
        ("adg", ADG),
        ("apg_interval", Guidance(interval=(0.5, 0.9))),
        ("clamp_ema", Guidance(**STEADY)),
    ],
)
def test_base_euler(toy: Toy, base: dict[str, Tensor], name: str, guidance: Guidance):
    landed = euler(_guided(toy, guidance), toy.noise, BASE)
    assert difference(landed, base[name]) < SINGLE


@pytest.mark.parametrize(
    ("name", "guidance"),
    [
        ("heun_apg", Guidance()),
        ("heun_apg_interval", Guidance(interval=(0.4, 0.9))),
        ("heun_adg", ADG),
    ],
)
def test_base_heun(toy: Toy, base: dict[str, Tensor], name: str, guidance: Guidance):
    landed = heun(_guided(toy, guidance), toy.noise, BASE)
    assert difference(landed, base[name]) < SINGLE


def test_base_heun_with_everything_at_once(toy: Toy, base: dict[str, Tensor]):
    velocity = _switched(toy, Guidance(**STEADY), switch_time(BASE, 0.5))
    assert difference(heun(velocity, toy.noise, BASE), base["heun_all"]) < SINGLE


def test_base_sde_at_shift_one_with_the_same_draws(toy: Toy, base: dict[str, Tensor], draws):
    landed = sde(_guided(toy, Guidance()), toy.noise, timesteps(6, 1.0), draws)
    assert difference(landed, base["sde_shift_1"]) < SINGLE


def test_base_sde_follows_the_shift_where_the_official_code_forgets_it(
    toy: Toy, base: dict[str, Tensor], draws
):
    """The deviation: at shift 3 the official loop re-noises to the times of shift 1."""
    landed = sde(_guided(toy, Guidance()), toy.noise, BASE, draws)
    assert difference(landed, base["sde_shift_3"]) > 1e-2
    assert torch.isfinite(landed).all()


def test_base_cover_strength_switches_both_branches(toy: Toy, base: dict[str, Tensor]):
    velocity = _switched(toy, Guidance(), switch_time(BASE, 0.5))
    assert difference(euler(velocity, toy.noise, BASE), base["cover_strength"]) < SINGLE


def test_base_cover_noise_starts_late(toy: Toy, base: dict[str, Tensor]):
    x, times = start_from_source(toy.noise, toy.inputs["context"], BASE, 0.25)
    landed = euler(_guided(toy, Guidance()), x, times)
    assert difference(landed, base["cover_noise"]) < SINGLE


def test_base_repaint_injects_and_blends(toy: Toy, base: dict[str, Tensor]):
    after_step = inject(toy.mask, toy.source, toy.noise, 3)
    x = euler(_guided(toy, Guidance()), toy.noise, BASE, after_step=after_step)
    assert difference(blend(x, toy.source, toy.mask, 2), base["repaint"]) < SINGLE


def test_base_conservative_repaint_differs_from_the_official_one_in_the_ramps_only(
    toy: Toy, base: dict[str, Tensor]
):
    """The deviation: the official base loop injects at t = 0 too, so that its ramp blends the
    source with itself; the official turbo loop does not, and neither do we."""
    after_step = inject(toy.mask, toy.source, toy.noise, 6)
    x = euler(_guided(toy, Guidance()), toy.noise, BASE, after_step=after_step)
    ours, theirs = blend(x, toy.source, toy.mask, 2), base["repaint_conservative"]
    ramps = (blend(torch.ones_like(x), torch.zeros_like(x), toy.mask, 2) % 1) != 0
    assert difference(ours[~ramps], theirs[~ramps]) < SINGLE
    assert difference(theirs[ramps], toy.source[ramps]) < RECORDED
    assert not torch.allclose(ours[ramps], theirs[ramps])


def test_sft_takes_custom_times_as_they_are(toy: Toy, base: dict[str, Tensor]):
    landed = euler(_guided(toy, Guidance()), toy.noise, CUSTOM)
    assert difference(landed, base["sft_custom"]) < SINGLE
