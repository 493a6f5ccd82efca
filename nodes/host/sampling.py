"""Our guidance and our noise through the host's own sampling loop.

The loop, its callbacks, previews, masks and interrupts are the host's; stock samplers therefore
give the same numbers.
"""

from collections.abc import Sequence
from typing import Any

import comfy.model_management
import comfy.samplers
import comfy.utils
import latent_preview
import torch
from torch import Tensor

from ...ace_core.constants import LATENT_CHANNELS
from ...ace_core.errors import InvalidRequestError
from ...ace_core.sampling.guidance import Guidance
from ...ace_core.sampling.guided import GuidedVelocity
from ...ace_core.sampling.noise import noise

_DIGITS = 6  # flow times are written in double precision and travel in single


class AceGuider(comfy.samplers.CFGGuider):
    """A stock GUIDER that combines the two velocities as `Guidance` says."""

    def __init__(self, model: Any, guidance: Guidance) -> None:
        super().__init__(model)
        self.guidance = guidance

    def inner_sample(self, *args: Any, **kwargs: Any) -> Tensor:
        # a run's memory begins here: the host may use one guider for several runs
        self._pair: tuple[Tensor, Tensor] | None = None
        self._velocity = GuidedVelocity(
            lambda x, t: self._seen, lambda x, t: self._seen[0], self.guidance
        )
        return super().inner_sample(*args, **kwargs)

    def predict_noise(
        self, x: Tensor, timestep: Tensor, model_options: Any = None, seed: int | None = None
    ) -> Tensor:
        """The host's name for: the guess at the clean latent [B, C, T] from `x` at `timestep`."""
        t = round(float(timestep[0]), _DIGITS)
        scale = self.guidance.scale if self.guidance.covers(t) else 1.0  # 1: one forward

        def combine(given: dict[str, Any]) -> Tensor:
            sigma = given["sigma"].view(-1, 1, 1)  # what the host hands over is sigma * velocity
            both = given["cond"], given["uncond"]
            self._seen = tuple((part / sigma).transpose(1, 2) for part in both)
            return self._velocity(x.transpose(1, 2), t).transpose(1, 2) * sigma

        options = {**(model_options or {}), "sampler_cfg_function": combine}
        return comfy.samplers.sampling_function(
            self.inner_model,
            x,
            timestep,
            self.conds.get("negative"),
            self.conds.get("positive"),
            scale,
            model_options=options,
            seed=seed,
        )


def guider(model: Any, positive: list, negative: list, guidance: Guidance | None) -> Any:
    """A GUIDER for one MODEL; without guidance the stock one, at one forward a step."""
    made = comfy.samplers.CFGGuider(model) if guidance is None else AceGuider(model, guidance)
    made.set_conds(positive, negative)
    return made


def sample(
    guided: Any, latent: dict[str, Any], sigmas: Tensor, seeds: Sequence[int]
) -> dict[str, Any]:
    """A LATENT like `latent`, each item sampled by Euler from its own seed's noise.

    Raises:
        InvalidRequestError: `latent` is no music latent.
    """
    start = latent["samples"]  # [B, C, T]
    if start.dim() != 3 or start.shape[1] != LATENT_CHANNELS:
        raise InvalidRequestError(
            f"The latent has the shape {list(start.shape)}, but ACE-Step 1.5 needs [batch, "
            f"{LATENT_CHANNELS}, frames]. Connect the latent of an ACE-Step task node."
        )
    callback = latent_preview.prepare_callback(guided.model_patcher, len(sigmas) - 1)
    samples = guided.sample(
        noise(seeds, start.shape[-1]).transpose(1, 2).contiguous(),
        start,
        comfy.samplers.sampler_object("euler"),
        sigmas,
        denoise_mask=latent.get("noise_mask"),
        callback=callback,
        disable_pbar=not comfy.utils.PROGRESS_BAR_ENABLED,
        seed=seeds[0],
    )
    rest = comfy.model_management.intermediate_device()
    return {**latent, "samples": samples.to(rest, torch.float32)}
