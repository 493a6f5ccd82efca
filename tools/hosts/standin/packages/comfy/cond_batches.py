"""Two lists of conditions to one prediction: batching, guidance and its hooks, as on the host."""

import math
from typing import Any

import torch


def sampling_function(
    model: Any,
    x: torch.Tensor,
    timestep: torch.Tensor,
    uncond: Any,
    cond: Any,
    cond_scale: float,
    model_options: dict[str, Any] | None = None,
    seed: int | None = None,
) -> torch.Tensor:
    """The denoised latent; at a scale of 1 the negative is not computed."""
    options = model_options or {}
    alone = math.isclose(cond_scale, 1.0) and not options.get("disable_cfg1_optimization", False)
    conds = [cond, None if alone else uncond]
    if "sampler_calc_cond_batch_function" in options:
        given = {"conds": conds, "input": x, "sigma": timestep, "model": model}
        given["model_options"] = options
        predictions = options["sampler_calc_cond_batch_function"](given)
    else:
        predictions = calc_cond_batch(model, conds, x, timestep, options)
    shared = {"cond_scale": cond_scale, "input": x, "sigma": timestep, "timestep": timestep}
    shared |= {"model": model, "model_options": options}
    positive, negative = predictions
    both = {"cond_denoised": positive, "uncond_denoised": negative, **shared}
    if "sampler_cfg_function" in options:
        differences = {"cond": x - positive, "uncond": x - negative}
        inputs = {"input_cond": conds[0], "input_uncond": conds[1]}
        denoised = x - options["sampler_cfg_function"]({**differences, **inputs, **both})
    else:
        denoised = negative + (positive - negative) * cond_scale
    for function in options.get("sampler_post_cfg_function", []):
        denoised = function({**both, "denoised": denoised, "cond": cond, "uncond": uncond})
    return denoised


def calc_cond_batch(
    model: Any,
    conds: list[Any],
    x_in: torch.Tensor,
    timestep: torch.Tensor,
    options: dict[str, Any],
) -> list[torch.Tensor]:
    """One prediction per list of conditions: their mean, or zeros for an empty list."""
    sums = [torch.zeros_like(x_in) for _ in conds]
    counts = [0] * len(conds)
    waiting = [
        (index, each, {k: c.process_cond(x_in.shape[0]) for k, c in each["model_conds"].items()})
        for index, found in enumerate(conds)
        for each in found or []
    ]
    while waiting:
        batch = [item for item in waiting if _fit_together(item[2], waiting[0][2])]
        waiting = [item for item in waiting if item not in batch]
        outputs = _apply(model, batch, x_in, timestep, options)
        for (index, _, _), output in zip(batch, outputs, strict=True):
            sums[index] += output
            counts[index] += 1
    return [total / max(count, 1) for total, count in zip(sums, counts, strict=True)]


def _apply(
    model: Any,
    batch: list[Any],
    x_in: torch.Tensor,
    timestep: torch.Tensor,
    options: dict[str, Any],
) -> tuple[torch.Tensor, ...]:
    """One call of the model for all conditions of the batch, stacked along B."""
    parts = [encoded for _, _, encoded in batch]
    merged = {key: parts[0][key].concat([part[key] for part in parts[1:]]) for key in parts[0]}
    merged["transformer_options"] = options.get("transformer_options", {}) | {
        "cond_or_uncond": [index for index, _, _ in batch],
        "uuids": [each["uuid"] for _, each, _ in batch],
        "sigmas": timestep,
    }
    x = torch.cat([x_in] * len(batch))
    t = torch.cat([timestep] * len(batch))
    return model.apply_model(x, t, **merged).chunk(len(batch))


def _fit_together(first: dict[str, Any], second: dict[str, Any]) -> bool:
    return first.keys() == second.keys() and all(
        first[key].can_concat(second[key]) for key in first
    )
