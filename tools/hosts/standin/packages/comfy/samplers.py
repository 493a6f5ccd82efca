"""Stand-in for `comfy.samplers`: guiders and samplers over a flow model.

It has the samplers euler and heun and the scheduler simple. What the nodes never ask of it is
refused: noise masks, and conditions with an area, a mask, a time range, a strength, hooks or
control nets.
"""

import math
import uuid
from collections.abc import Callable
from typing import Any, ClassVar

import torch

from . import k_samplers, model_management, model_patcher
from .cond_batches import calc_cond_batch as calc_cond_batch
from .cond_batches import sampling_function

_REFUSED = frozenset(
    "area mask hooks control gligen strength start_percent end_percent"
    " timestep_start timestep_end".split()
)


class KSamplerX0Inpaint:
    """The model as samplers call it."""

    latent_image: torch.Tensor
    noise: torch.Tensor

    def __init__(self, model: Any, sigmas: torch.Tensor) -> None:
        self.inner_model = model
        self.sigmas = sigmas

    def __call__(
        self,
        x: torch.Tensor,
        sigma: torch.Tensor,
        denoise_mask: torch.Tensor | None,
        model_options: dict[str, Any] | None = None,
        seed: int | None = None,
    ) -> torch.Tensor:
        return self.inner_model(x, sigma, model_options=model_options or {}, seed=seed)


class Sampler:
    def sample(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        raise NotImplementedError

    def max_denoise(self, model_wrap: Any, sigmas: torch.Tensor) -> bool:
        most = float(model_wrap.inner_model.model_sampling.sigma_max)
        return math.isclose(most, float(sigmas[0]), rel_tol=1e-05) or float(sigmas[0]) > most


class KSAMPLER(Sampler):
    def __init__(
        self,
        sampler_function: Callable[..., torch.Tensor],
        extra_options: dict[str, Any] | None = None,
        inpaint_options: dict[str, Any] | None = None,
    ) -> None:
        self.sampler_function = sampler_function
        self.extra_options = extra_options or {}

    def sample(
        self,
        model_wrap: Any,
        sigmas: torch.Tensor,
        extra_args: dict[str, Any],
        callback: Any,
        noise: torch.Tensor,
        latent_image: Any = None,
        denoise_mask: Any = None,
        disable_pbar: bool = False,
    ) -> torch.Tensor:
        model = KSamplerX0Inpaint(model_wrap, sigmas)
        model.latent_image, model.noise = latent_image, noise
        flow = model_wrap.inner_model.model_sampling
        first = self.max_denoise(model_wrap, sigmas)
        x = flow.noise_scaling(sigmas[0], noise, latent_image, first)

        def report(state: dict[str, Any]) -> None:
            if callback is not None:
                callback(state["i"], state["denoised"], state["x"], len(sigmas) - 1)

        extra_args["denoise_mask"] = denoise_mask
        x = self.sampler_function(
            model, x, sigmas, extra_args=extra_args, callback=report, **self.extra_options
        )
        return flow.inverse_noise_scaling(sigmas[-1], x)


class CFGGuider:
    inner_model: Any
    conds: dict[str, Any]

    def __init__(self, model_patcher: Any) -> None:
        self.model_patcher = model_patcher
        self.model_options = model_patcher.model_options
        self.original_conds: dict[str, Any] = {}
        self.cfg = 1.0

    def set_conds(self, positive: Any, negative: Any) -> None:
        self.inner_set_conds({"positive": positive, "negative": negative})

    def set_cfg(self, cfg: float) -> None:
        self.cfg = cfg

    def inner_set_conds(self, conds: dict[str, Any]) -> None:
        for name, found in conds.items():
            self.original_conds[name] = [_converted(each) for each in found]

    def __call__(self, *args: Any, **kwargs: Any) -> torch.Tensor:
        return self.predict_noise(*args, **kwargs)

    def predict_noise(
        self, x: torch.Tensor, timestep: torch.Tensor, model_options: Any = None, seed: Any = None
    ) -> torch.Tensor:
        positive, negative = self.conds.get("positive"), self.conds.get("negative")
        return sampling_function(
            self.inner_model, x, timestep, negative, positive, self.cfg, model_options or {}, seed
        )

    def inner_sample(
        self,
        noise: torch.Tensor,
        latent_image: torch.Tensor,
        device: Any,
        sampler: Any,
        sigmas: torch.Tensor,
        denoise_mask: Any,
        callback: Any,
        disable_pbar: bool,
        seed: int | None,
        latent_shapes: Any = None,
    ) -> torch.Tensor:
        if torch.count_nonzero(latent_image) > 0:
            latent_image = self.inner_model.process_latent_in(latent_image)
        given = {"device": device, "noise": noise, "latent_image": latent_image}
        given |= {"denoise_mask": denoise_mask, "seed": seed, "latent_shapes": latent_shapes}
        for name, found in self.conds.items():
            given["prompt_type"] = name
            self.conds[name] = [_encoded(self.inner_model, each, given) for each in found]
        options = model_patcher.create_model_options_clone(self.model_options)
        options.setdefault("transformer_options", {})["sample_sigmas"] = sigmas
        extra_args = {"model_options": options, "seed": seed}
        samples = sampler.sample(
            self, sigmas, extra_args, callback, noise, latent_image, denoise_mask, disable_pbar
        )
        return self.inner_model.process_latent_out(samples.to(torch.float32))

    def sample(
        self,
        noise: torch.Tensor,
        latent_image: torch.Tensor,
        sampler: Any,
        sigmas: torch.Tensor,
        denoise_mask: Any = None,
        callback: Any = None,
        disable_pbar: bool = False,
        seed: int | None = None,
    ) -> torch.Tensor:
        if denoise_mask is not None:
            raise NotImplementedError("the stand-in samples without a noise mask")
        patcher = self.model_patcher
        shape = [2 * noise.shape[0], *noise.shape[1:]]
        model_management.load_models_gpu(
            [patcher, *_companions(self.original_conds)], patcher.model.memory_required(shape)
        )
        self.inner_model = patcher.model
        self.conds = {name: [dict(c) for c in found] for name, found in self.original_conds.items()}
        own_options = self.model_options
        self.model_options = model_patcher.create_model_options_clone(own_options)
        patcher.pre_run()
        try:
            return self.inner_sample(
                noise.float(),
                latent_image.float(),
                patcher.load_device,
                sampler,
                sigmas,
                denoise_mask,
                callback,
                disable_pbar,
                seed,
                latent_shapes=[latent_image.shape],
            )
        finally:
            patcher.cleanup()
            self.model_options = own_options
            del self.conds, self.inner_model


def _companions(conds: dict[str, Any]) -> list[Any]:
    """Patchers that conditions bring along."""
    found = [cond.get("additional_models", []) for each in conds.values() for cond in each]
    return [patcher for models in found for patcher in models]


def _converted(cond: Any) -> dict[str, Any]:
    """`[embedding, {...}]` as one dictionary."""
    embedding, values = cond
    refused = sorted(_REFUSED & values.keys())
    if refused:
        raise NotImplementedError(f"the stand-in cannot sample conditions with {refused}")
    converted = {**values, "model_conds": values.get("model_conds", {}), "uuid": uuid.uuid4()}
    return converted if embedding is None else {**converted, "cross_attn": embedding}


def _encoded(model: Any, cond: dict[str, Any], given: dict[str, Any]) -> dict[str, Any]:
    """Let the model turn a condition into tensors, once per run."""
    known = {**given, **cond, "device": given["device"], "noise": given["noise"]}
    return {**cond, "model_conds": cond["model_conds"] | model.extra_conds(**known)}


def simple_scheduler(model_sampling: Any, steps: int) -> torch.Tensor:
    table = model_sampling.sigmas
    stride = len(table) / steps
    return torch.tensor([*(float(table[-(1 + int(i * stride))]) for i in range(steps)), 0.0])


def calculate_sigmas(model_sampling: Any, scheduler_name: str, steps: int) -> torch.Tensor:
    if scheduler_name != "simple":
        raise NotImplementedError(f"the stand-in has no scheduler {scheduler_name!r}")
    return simple_scheduler(model_sampling, steps)


def sampler_object(name: str) -> KSAMPLER:
    if name not in k_samplers.BY_NAME:
        raise NotImplementedError(f"the stand-in has no sampler {name!r}")
    return KSAMPLER(k_samplers.BY_NAME[name])


SAMPLER_NAMES = list(k_samplers.BY_NAME)
SCHEDULER_NAMES = ["simple"]


class KSampler:
    SAMPLERS: ClassVar[list[str]] = SAMPLER_NAMES
    SCHEDULERS: ClassVar[list[str]] = SCHEDULER_NAMES


def sample(
    model: Any,
    noise: torch.Tensor,
    positive: Any,
    negative: Any,
    cfg: float,
    device: Any,
    sampler: Any,
    sigmas: torch.Tensor,
    model_options: Any = None,
    **settings: Any,
) -> torch.Tensor:
    guider = CFGGuider(model)
    guider.set_conds(positive, negative)
    guider.set_cfg(cfg)
    latent_image = settings.pop("latent_image")
    return guider.sample(noise, latent_image, sampler, sigmas, **settings)
