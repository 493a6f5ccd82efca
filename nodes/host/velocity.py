"""The host's estimate of the clean latent, as a velocity that the core integrates."""

from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from .model import CORRECTOR, DRAW, Draw


class HostVelocity:
    """The host's estimate of x0 as a velocity of the core, [B, T, C]."""

    def __init__(self, model: Any, extra_args: dict[str, Any]) -> None:
        self._model = model
        self._extra = extra_args
        self.state: Tensor | None = None  # [B, C, T], of the last evaluation

    def __call__(self, x: Tensor, t: float) -> Tensor:
        return self._at(x, t, self._extra)

    def corrector(self, x: Tensor, t: float) -> Tensor:
        """Tells guider and model that this evaluation is the second of a Heun step."""
        return self._at(x, t, self._with_option(CORRECTOR, True))

    def at_draw(self, x: Tensor, t: float, draw: Draw) -> Tensor:
        """Tells guider and model which evaluation of a morph this is."""
        return self._at(x, t, self._with_option(DRAW, draw))

    def of_both_words(self) -> tuple["_WordsVelocity", "_WordsVelocity"]:
        """Of a morph: the velocities under the words of its source and under the new ones."""
        return _WordsVelocity(self, source_words=True), _WordsVelocity(self, source_words=False)

    def _with_option(self, name: str, value: Any) -> dict[str, Any]:
        """The arguments of an evaluation with one more option, for the guider and for the model."""
        options = self._extra["model_options"]
        inner = {**options.get("transformer_options", {}), name: value}
        given = {**options, name: value, "transformer_options": inner}
        return {**self._extra, "model_options": given}

    def _at(self, x: Tensor, t: float, extra: dict[str, Any]) -> Tensor:
        self.state = x.transpose(1, 2).contiguous()
        times = torch.full((len(x),), t, device=x.device, dtype=x.dtype)
        x0 = self._model(self.state, times, **extra)
        return ((self.state - x0) / t).transpose(1, 2)


@dataclass(frozen=True, slots=True)
class _WordsVelocity:
    """A velocity of the core under one side's words of a morph."""

    velocity: HostVelocity
    source_words: bool

    def __call__(self, x: Tensor, t: float) -> Tensor:
        return self.draw(x, t, 0, 1)

    def draw(self, x: Tensor, t: float, index: int, count: int) -> Tensor:
        return self.velocity.at_draw(x, t, Draw(self.source_words, index, count))
