"""Audio previews: an excerpt of the current x0 estimate, decoded while the sampler runs.

The VAE comes into the run beside the diffusion model, in the one request that the host's manager
gets for it: nothing is loaded or unloaded between steps. An error here ends the previews,
never the song.
"""

from collections.abc import Callable
from typing import Any, Final

import comfy.model_management
import torch
from torch import Tensor

from ...ace_core.audio.preview import decode_preview
from ...ace_core.errors import AceStepError
from ...ace_core.memory import Notices
from .frontend import client_connected
from .memory import host_oom_handler
from .vae import AceVAE, bytes_for, vae_from_native

Callback = Callable[[int, Tensor, Tensor, int], None]  # step from 0, estimate of x0, x, steps
Send = Callable[[Tensor, int, int], None]  # audio [2, N], step from 1, steps

_SLACK: Final = 1.1  # of weights, by which the host's manager asks for more


class AudioPreview:
    """Every `every` steps, latent frames `frames` of the first item are decoded and sent."""

    def __init__(
        self, vae: Any, every: int, frames: tuple[int, int], send: Send, notices: Notices
    ) -> None:
        """
        Raises:
            CheckpointError: a VAE of another family.
        """
        self.vae: AceVAE = vae_from_native(vae)
        self.every = every
        self.frames = frames
        self.send = send
        self.notices = notices
        self.ended = False
        self._oom = host_oom_handler(notices)

    @property
    def companions(self) -> list[Any]:
        """The patchers that come into a run beside its model."""
        return [] if self.ended else [self.vae.patcher]

    def end(self, why: str) -> None:
        """End the previews; the song goes on."""
        self.ended = True
        self.notices(why)

    def check_memory(self, model: Any, activations: Callable[[], float]) -> None:
        """Ends where the manager could hold `model` and the VAE together only in part. A model
        that it loads piece by piece, or on the CPU, needs no such room."""
        device = model.load_device
        if self.vae.device != device or device.type == "cpu" or model.is_dynamic():
            return
        manager = comfy.model_management
        loaded = [each for each in manager.loaded_models() if each.load_device == device]
        room = manager.get_free_memory(device) + sum(each.loaded_size() for each in loaded)
        weights = _SLACK * (model.model_size() + self.vae.patcher.model_size())
        computing = max(activations(), self._bytes()) + manager.extra_reserved_memory()
        beside = max(manager.minimum_inference_memory(), computing)
        if weights + beside > room:
            self.end("There is no room for the VAE beside the model: there are no previews.")

    def wrap(self, callback: Callback) -> Callback:
        """`callback`, then the excerpt at every `every`-th step, if the client is connected."""

        def with_preview(step: int, x0: Tensor, x: Tensor, steps: int) -> None:
            callback(step, x0, x, steps)
            if not self.ended and (step + 1) % self.every == 0 and client_connected():
                self._preview(x0, step + 1, steps)

        return with_preview

    def _preview(self, x0: Tensor, step: int, steps: int) -> None:
        if self._partially_loaded():
            self.end("The VAE was not loaded as a whole: there are no further previews.")
            return
        audio = self._oom.try_run(lambda: self._decoded(x0))
        if audio is None:
            self.end("Out of memory in a preview: there are no further ones.")
            return
        try:
            self.send(audio, step, steps)
        except AceStepError as error:
            self.end(f"There are no further previews. {error}")

    def _partially_loaded(self) -> bool:
        """The network of the host's own loader cannot compute from two devices."""
        return self.vae.disable_offload and bool(self.vae.patcher.model.model_lowvram)

    @torch.no_grad()
    def _decoded(self, x0: Tensor) -> Tensor:
        latent = x0[:1].to(self.vae.device, self.vae.vae_dtype)
        return decode_preview(self.vae.first_stage_model, latent, self.frames)

    def _bytes(self) -> float:
        return bytes_for(self.frames[1] - self.frames[0], self.vae.vae_dtype)
