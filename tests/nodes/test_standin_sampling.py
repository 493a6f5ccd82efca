"""The host's sampling arithmetic that nodes rely on, real or stand-in, on a toy flow model."""

from typing import Any

import pytest
import torch
from torch import nn

from tools.hosts.host import Host

CHANNELS, FRAMES = 64, 6


class Net(nn.Module):
    """A velocity that is a learned scale of `x` plus the mean of the context."""

    def __init__(self, dtype: Any, device: Any, operations: Any, **_: Any) -> None:
        super().__init__()
        self.dtype = dtype
        self.scale = operations.Linear(1, 1, bias=False, dtype=dtype, device=device)
        self.batches: list[int] = []
        self.seen: list[torch.Tensor] = []

    def forward(self, x, timestep, context=None, control=None, transformer_options=None, **_):
        self.batches.append(len(x))
        self.seen.append(x.clone())
        scaled = self.scale(x.reshape(-1, 1)).reshape(x.shape)
        return scaled + context.mean(dim=(1, 2))[:, None, None]


@pytest.fixture
def model(host: Host) -> Any:
    """A MODEL with a scale of zero: its velocity is the mean of the context."""
    import comfy.model_base
    import comfy.model_management
    import comfy.model_patcher
    import comfy.supported_models

    config = comfy.supported_models.ACEStep15({"audio_model": "ace1.5"})
    config.set_inference_dtype(torch.float32, None)
    flow = comfy.model_base.ModelType.FLOW
    base = comfy.model_base.BaseModel(config, flow, device=None, unet_model=Net)
    base.diffusion_model.scale.weight = nn.Parameter(torch.zeros(1, 1), requires_grad=False)
    device = comfy.model_management.get_torch_device()
    return comfy.model_patcher.ModelPatcher(base, load_device=device, offload_device=device)


def cond(value: float, **extras: Any) -> list:
    return [[torch.full((1, 4, 8), value), extras]]


def sample(model: Any, positive: list, negative: list, cfg: float = 1.0, **settings: Any) -> Any:
    import comfy.sample
    import comfy.samplers

    sigmas = settings.pop("sigmas", torch.tensor([1.0, 0.5, 0.0]))
    latent = settings.pop("latent", torch.zeros(1, CHANNELS, FRAMES))
    noise = comfy.sample.prepare_noise(latent, 5)
    sampler = comfy.samplers.sampler_object(settings.pop("sampler", "euler"))
    with torch.inference_mode():
        sampled = comfy.sample.sample_custom(
            model, noise, cfg, sampler, sigmas, positive, negative, latent,
            disable_pbar=True, seed=5, **settings,
        )  # fmt: skip
    return sampled, noise


def test_the_simple_schedule_is_the_shifted_straight_line(model: Any) -> None:
    import comfy.samplers

    sampling = model.get_model_object("model_sampling")
    times = 1 - torch.arange(9) / 8
    expected = 3 * times / (1 + 2 * times)
    sigmas = comfy.samplers.calculate_sigmas(sampling, "simple", 8)
    torch.testing.assert_close(sigmas, expected)


@pytest.mark.parametrize("sampler", ["euler", "heun"])
def test_a_constant_velocity_is_integrated_exactly(model: Any, sampler: str) -> None:
    sampled, noise = sample(model, cond(2.0), cond(0.0), sampler=sampler)
    torch.testing.assert_close(sampled, noise - 2.0)


def test_guidance_goes_beyond_the_positive_by_its_scale(model: Any) -> None:
    sampled, noise = sample(model, cond(2.0), cond(1.0), cfg=3.0)
    torch.testing.assert_close(sampled, noise - (1.0 + 3.0 * (2.0 - 1.0)))


def test_both_conditions_share_one_call_and_a_scale_of_one_needs_the_positive_only(
    model: Any,
) -> None:
    calls = model.model.diffusion_model.batches
    sample(model, cond(2.0), cond(1.0), cfg=3.0)
    assert calls == [2, 2]
    calls.clear()
    sample(model, cond(2.0), cond(1.0), cfg=1.0)
    assert calls == [1, 1]


def test_a_condition_is_heard_in_its_time_range_only(model: Any) -> None:
    first = cond(2.0, timestep_start=1.0, timestep_end=0.75)
    second = cond(4.0, timestep_start=0.75, timestep_end=0.0)
    sampled, noise = sample(model, first + second, cond(0.0))
    torch.testing.assert_close(sampled, noise - 0.5 * 2.0 - 0.5 * 4.0)


def test_conditions_at_one_time_are_weighted_by_strength(model: Any) -> None:
    both = cond(1.0, strength=3.0) + cond(5.0, strength=1.0)
    sampled, noise = sample(model, both, cond(0.0))
    torch.testing.assert_close(sampled, noise - 2.0)


def test_outside_the_noise_mask_the_source_stays(model: Any) -> None:
    source = torch.full((1, CHANNELS, FRAMES), 0.25)
    mask = torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])[None, None]
    sampled, noise = sample(model, cond(2.0), cond(0.0), latent=source, noise_mask=mask)
    torch.testing.assert_close(sampled[..., 3:], source[..., 3:])
    torch.testing.assert_close(sampled[..., :3], (noise - 2.0)[..., :3])


def test_the_model_sees_the_source_under_the_runs_own_noise_outside_the_mask(model: Any) -> None:
    source = torch.full((1, CHANNELS, FRAMES), 0.25)
    mask = torch.tensor([1.0, 1.0, 1.0, 0.0, 0.0, 0.0])[None, None]
    settings = {"latent": source, "noise_mask": mask, "sampler": "lcm"}  # lcm draws other noise
    _, noise = sample(model, cond(2.0), cond(0.0), **settings)
    halfway = model.model.diffusion_model.seen[1]
    torch.testing.assert_close(halfway[..., 3:], (0.5 * noise + 0.5 * source)[..., 3:])


def test_a_denoise_below_one_starts_from_the_source(model: Any) -> None:
    source = torch.full((1, CHANNELS, FRAMES), 0.25)
    sigmas = torch.tensor([0.5, 0.0])
    sampled, noise = sample(model, cond(2.0), cond(0.0), latent=source, sigmas=sigmas)
    torch.testing.assert_close(sampled, 0.5 * noise + 0.5 * source - 1.0)


def test_lcm_draws_new_noise_from_the_seed_after_it(model: Any) -> None:
    sampled, noise = sample(model, cond(2.0), cond(0.0), sampler="lcm")
    fresh = torch.randn(noise.shape, generator=torch.Generator().manual_seed(6))
    halfway = 0.5 * fresh + 0.5 * (noise - 2.0)
    torch.testing.assert_close(sampled, halfway - 1.0)


def test_patches_of_a_clone_do_not_stay_on_the_original(model: Any) -> None:
    patched = model.clone()
    key = "diffusion_model.scale.weight"
    assert patched.add_patches({key: ("diff", (torch.ones(1, 1),))}, 0.5) == [key]
    one_step = torch.tensor([1.0, 0.0])
    plain, noise = sample(model, cond(0.0), cond(0.0), sigmas=one_step)
    changed, _ = sample(patched, cond(0.0), cond(0.0), sigmas=one_step)
    again, _ = sample(model, cond(0.0), cond(0.0), sigmas=one_step)
    torch.testing.assert_close(plain, noise)
    torch.testing.assert_close(changed, 0.5 * noise)
    torch.testing.assert_close(again, plain)


def test_an_object_of_a_clone_is_gone_when_the_original_samples(model: Any) -> None:
    import copy

    import comfy.samplers

    shifted = model.clone()
    sampling = copy.deepcopy(model.get_model_object("model_sampling"))
    sampling.set_parameters(shift=1.0, multiplier=1.0)
    shifted.add_object_patch("model_sampling", sampling)
    line = comfy.samplers.calculate_sigmas(shifted.get_model_object("model_sampling"), "simple", 4)
    torch.testing.assert_close(line, torch.tensor([1.0, 0.75, 0.5, 0.25, 0.0]))
    sample(shifted, cond(2.0), cond(0.0))
    sample(model, cond(2.0), cond(0.0))
    assert model.model.model_sampling.shift == 3.0


def test_a_wrapper_of_a_clone_stands_around_the_model(model: Any) -> None:
    import comfy.patcher_extension

    def doubled(executor: Any, *args: Any, **kwargs: Any) -> Any:
        return 2 * executor(*args, **kwargs)

    wrapped = model.clone()
    kind = comfy.patcher_extension.WrappersMP.APPLY_MODEL
    wrapped.add_wrapper_with_key(kind, "test", doubled)
    one_step = torch.tensor([1.0, 0.0])
    sampled, noise = sample(wrapped, cond(2.0), cond(0.0), sigmas=one_step)
    torch.testing.assert_close(sampled, 2 * (noise - 2.0))
    sampled, _ = sample(model, cond(2.0), cond(0.0), sigmas=one_step)
    torch.testing.assert_close(sampled, noise - 2.0)


def test_on_a_cpu_models_are_held_and_computed_in_float32(host: Host) -> None:
    import comfy.model_management

    place = torch.device("cpu")
    kinds = [torch.bfloat16, torch.float32]
    manager = comfy.model_management
    for stored in kinds:
        held = manager.unet_dtype(device=place, supported_dtypes=kinds, weight_dtype=stored)
        assert held is torch.float32
    assert manager.unet_manual_cast(torch.bfloat16, place, kinds) is torch.float32
    assert manager.unet_manual_cast(torch.float32, place, kinds) is None
    assert manager.vae_dtype(place, kinds) is torch.float32


def test_layers_cast_their_weights_to_what_goes_in(host: Host) -> None:
    import comfy.ops

    layers = comfy.ops.pick_operations(torch.bfloat16, torch.float32)
    layer = layers.Linear(3, 2, dtype=torch.bfloat16)
    layer.weight = nn.Parameter(torch.full((2, 3), 0.1, dtype=torch.bfloat16))
    layer.bias = nn.Parameter(torch.zeros(2, dtype=torch.bfloat16))
    with torch.no_grad():
        out = layer(torch.ones(1, 3))
    assert out.dtype == torch.float32
    torch.testing.assert_close(out, torch.full((1, 2), 3 * float(torch.tensor(0.1).bfloat16())))
    assert layer.weight.dtype == torch.bfloat16


def test_a_layer_stops_when_the_user_has_pressed_stop(host: Host) -> None:
    import comfy.model_management
    import comfy.ops

    layer = comfy.ops.disable_weight_init.Linear(1, 1)
    comfy.model_management.interrupt_current_processing()
    with pytest.raises(comfy.model_management.InterruptProcessingException):
        comfy.ops.manual_cast.Linear(1, 1)(torch.ones(1, 1))
        layer(torch.ones(1, 1))
    comfy.model_management.throw_exception_if_processing_interrupted()  # once is enough
