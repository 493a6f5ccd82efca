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

    def forward(self, x, timestep, context=None, control=None, transformer_options=None, **_):
        self.batches.append(len(x))
        scaled = self.scale(x.reshape(-1, 1)).reshape(x.shape)
        return scaled + context.mean(dim=(1, 2))[:, None, None]


@pytest.fixture
def model(host: Host) -> Any:
    """A MODEL with a scale of zero: its velocity is the mean of the context."""
    import comfy.conds
    import comfy.model_base
    import comfy.model_management
    import comfy.model_patcher
    import comfy.supported_models

    config = comfy.supported_models.ACEStep15({"audio_model": "ace1.5"})
    config.set_inference_dtype(torch.float32, None)

    class Model(comfy.model_base.BaseModel):
        def extra_conds(self, **kwargs: Any) -> dict[str, Any]:
            return {"c_crossattn": comfy.conds.CONDRegular(kwargs["cross_attn"])}

    base = Model(config, comfy.model_base.ModelType.FLOW, device=None, unet_model=Net)
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


def test_a_denoise_below_one_starts_from_the_source(model: Any) -> None:
    source = torch.full((1, CHANNELS, FRAMES), 0.25)
    sigmas = torch.tensor([0.5, 0.0])
    sampled, noise = sample(model, cond(2.0), cond(0.0), latent=source, sigmas=sigmas)
    torch.testing.assert_close(sampled, 0.5 * noise + 0.5 * source - 1.0)


def test_two_conditions_are_averaged(model: Any) -> None:
    sampled, noise = sample(model, cond(1.0) + cond(5.0), cond(0.0))
    torch.testing.assert_close(sampled, noise - 3.0)


def test_patches_of_a_clone_do_not_stay_on_the_original(model: Any) -> None:
    from comfy.weight_adapter import WeightAdapterBase

    class Addition(WeightAdapterBase):
        name, loaded_keys, weights = "addition", set(), (torch.ones(1, 1),)

        def calculate_weight(self, weight: Any, key: str, strength: float, *rest: Any) -> Any:
            return weight + strength * self.weights[0].to(weight)

    patched = model.clone()
    key = "diffusion_model.scale.weight"
    assert patched.add_patches({key: Addition()}, 0.5) == [key]
    one_step = torch.tensor([1.0, 0.0])
    plain, noise = sample(model, cond(0.0), cond(0.0), sigmas=one_step)
    changed, _ = sample(patched, cond(0.0), cond(0.0), sigmas=one_step)
    again, _ = sample(model, cond(0.0), cond(0.0), sigmas=one_step)
    torch.testing.assert_close(plain, noise)
    torch.testing.assert_close(changed, 0.5 * noise)
    torch.testing.assert_close(again, plain)


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
