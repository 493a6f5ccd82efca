"""NaN and infinity end where they begin, with the name of the part."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import torch
from torch import Tensor, nn

from ace_core.audio.tiling import decode, decode_part, encode
from ace_core.conditioning.context import encode_conditions
from ace_core.errors import InvalidAudioError, NonFiniteError
from ace_core.models.vae import Oobleck, OobleckConfig
from ace_core.precision import check_finite
from ace_core.sampling.finite import FiniteVelocity
from ace_core.sampling.flow_edit import EditOptions, flow_edit
from ace_core.sampling.solvers import Solver, SolverOptions, Velocity, integrate
from ace_core.task import EditWindow, Task
from tests.toy import TEXT_HIDDEN_SIZE, acestep, randn

TIMES = (1.0, 0.75, 0.5, 0.25, 0.0)


@contextmanager
def spoilt(layer: nn.Module, value: float) -> Iterator[None]:
    """One of the weights of `layer` is `value`."""
    weight = layer.weight
    assert isinstance(weight, nn.Parameter)
    kept = weight.data.clone()
    weight.data.view(-1)[0] = value
    try:
        yield
    finally:
        weight.data = kept


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf")])
def test_values_that_are_no_numbers_are_refused_with_the_part_and_the_way_out(value) -> None:
    with pytest.raises(NonFiniteError, match=r"The VAE's decoder computed NaN.*fp32.*adapters"):
        check_finite(torch.tensor([1.0, value]), "VAE's decoder")
    largest = torch.tensor([torch.finfo(torch.float32).max])
    assert check_finite(largest, "VAE's decoder") is largest
    finite_but_not_their_sum = largest.expand(4)
    assert check_finite(finite_but_not_their_sum, "part") is finite_but_not_their_sum
    both = torch.tensor([float("inf"), -float("inf"), 0.0])
    with pytest.raises(NonFiniteError):
        check_finite(both.half(), "part")


def test_the_condition_encoder_is_named() -> None:
    model = acestep()
    task = Task(text=randn(1, 5, TEXT_HIDDEN_SIZE), lyrics=randn(1, 6, TEXT_HIDDEN_SIZE), frames=20)
    assert encode_conditions(model, task, randn(1, 750, 64)).isfinite().all()
    with (
        spoilt(model.encoder.text_projector, float("inf")),
        pytest.raises(NonFiniteError, match="condition encoder"),
    ):
        encode_conditions(model, task, randn(1, 750, 64))


class Spoilt:
    """A velocity that is NaN in one element at one time."""

    def __init__(self, at: float) -> None:
        self.at = at

    def __call__(self, x: Tensor, t: float) -> Tensor:
        v = x.clone()
        if t == self.at:
            v[-1, -1, -1] = float("nan")
        return v


@pytest.mark.parametrize("solver", list(Solver))
@pytest.mark.parametrize(("at", "step"), [(1.0, 1), (0.5, 3), (0.25, 4)])
def test_the_step_of_the_diffusion_model_is_named(solver: Solver, at: float, step: int) -> None:
    def run(velocity: Velocity) -> Tensor:
        options = SolverOptions(TIMES, iter([randn(2, 3, 4)] * 4))
        return integrate(solver, velocity, randn(2, 3, 4), options)

    with pytest.raises(NonFiniteError, match=f"diffusion model at step {step} of 4"):
        run(FiniteVelocity(Spoilt(at), TIMES))
    assert torch.equal(run(FiniteVelocity(Spoilt(2.0), TIMES)), run(Spoilt(2.0)))


def test_the_step_of_a_flow_edit_is_named_and_the_edit_is_the_same() -> None:
    source, window = randn(1, 3, 4), EditWindow(n_avg=2)

    def edit(old: Velocity, new: Velocity) -> Tensor:
        draws = (randn(1, 3, 4, seed=seed) for seed in range(20))
        return flow_edit(old, new, source, EditOptions(TIMES, window, draws))

    with pytest.raises(NonFiniteError, match="diffusion model at step 3 of 4"):
        edit(Spoilt(2.0), FiniteVelocity(Spoilt(0.5), TIMES))
    plain = edit(Spoilt(2.0), Spoilt(2.0))
    assert torch.equal(edit(Spoilt(2.0), FiniteVelocity(Spoilt(2.0), TIMES)), plain)


def test_both_halves_of_the_vae_are_named_and_a_latent_that_came_so_is_refused() -> None:
    vae = Oobleck(OobleckConfig(encoder_channels=2, decoder_channels=2)).requires_grad_(False)
    latent, audio = randn(1, 64, 3), randn(1, 2, 4 * 1920)
    with spoilt(vae.decoder.conv2, float("nan")):
        with pytest.raises(NonFiniteError, match="VAE's decoder"):
            decode(vae, latent)
        with pytest.raises(NonFiniteError, match="VAE's decoder"):
            decode_part(vae, latent, 0, 2)
    with (
        spoilt(vae.encoder.conv2, float("inf")),
        pytest.raises(NonFiniteError, match="VAE's encoder"),
    ):
        encode(vae, audio)
    latent[0, 5, 1] = float("nan")
    with pytest.raises(InvalidAudioError, match=r"latent holds NaN.*fp32"):
        decode(vae, latent)
