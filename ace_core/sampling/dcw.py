"""DCW: differential correction in the wavelet domain, once after each step of a solver.

The latent after a step is moved away from the present estimate of the clean latent, in the low
band of a one-level Haar transform along time, in the high band, or in both. Turbo takes few and
long steps, so its latents carry less noise than those it was trained on at the same time.

Source: Yu et al., "Elucidating the SNR-t Bias of Diffusion Probabilistic Models", CVPR 2026,
arXiv 2604.16044; acestep/models/common/dcw_correction.py of the official code.
"""

import math
from dataclasses import dataclass
from enum import Enum
from typing import Final

import torch
from torch import Tensor

from ..errors import InvalidScheduleError
from ..parsing import quoted
from ..precision import at_least_float32
from .solvers import Solver, SolverStep

WAVELETS: Final = ("haar", "db1")  # two names of one basis


class DCWMode(Enum):
    """Which bands are corrected."""

    LOW = "low"
    HIGH = "high"
    DOUBLE = "double"
    PIX = "pix"  # the latent itself, without a transform


@dataclass(frozen=True, slots=True)
class DCW:
    """How far the bands are moved: `scaler` times t in the low band, times 1 - t in the high one.

    `double` moves the high band by `high_scaler` in place of `scaler`; `pix` moves everything by
    `scaler` at every t.

    Raises:
        InvalidScheduleError: a scaler that is no finite number, or a wavelet other than Haar.
    """

    mode: DCWMode = DCWMode.DOUBLE
    scaler: float = 0.05
    high_scaler: float = 0.02
    wavelet: str = "haar"

    def __post_init__(self) -> None:
        for name in ("scaler", "high_scaler"):
            value = getattr(self, name)
            if not math.isfinite(value):
                raise InvalidScheduleError(
                    f"The DCW `{name}` is {value}, which is no finite number. Set 0 for none, or "
                    "0.05 (scaler) and 0.02 (high_scaler), the official values."
                )
        if self.wavelet not in WAVELETS:
            raise InvalidScheduleError(
                f"The DCW wavelet is {quoted(self.wavelet)}, but only haar is built in. Set it to "
                "haar, the official default."
            )

    @property
    def active(self) -> bool:
        """Whether it changes anything: at a scaler of 0 it does not."""
        return self.scaler != 0 or (self.mode is DCWMode.DOUBLE and self.high_scaler != 0)

    def check_solver(self, solver: Solver) -> None:
        """
        Raises:
            InvalidScheduleError: the steps of `solver` are not corrected.
        """
        if self.active and solver is Solver.SDE:
            raise InvalidScheduleError(
                f"{self} corrects the steps of euler and heun, but the solver is sde. Choose "
                "another solver, or turn DCW off."
            )

    def weights(self, t: float) -> tuple[float, float]:
        """How much of the difference is added in the low band and in the high band at `t`."""
        if self.mode is DCWMode.PIX:
            return self.scaler, self.scaler
        low = self.scaler if self.mode in (DCWMode.LOW, DCWMode.DOUBLE) else 0.0
        high = {DCWMode.HIGH: self.scaler, DCWMode.DOUBLE: self.high_scaler}.get(self.mode, 0.0)
        return t * low, (1 - t) * high

    def __call__(self, step: SolverStep, x: Tensor) -> Tensor:
        """The latent `x` [B, T, C] that `step` led to, corrected by the estimate it began with."""
        low, high = self.weights(step.t)
        if low == 0 and high == 0:
            return x
        dtype = at_least_float32(x.dtype)
        difference = x.to(dtype) - step.x0.to(dtype)
        smooth = pair_means(difference)
        return (x.to(dtype) + low * smooth + high * (difference - smooth)).to(x.dtype)

    def __str__(self) -> str:
        if not self.active:
            return "DCW off"
        scalers = f"{self.scaler:g}"
        if self.mode is DCWMode.DOUBLE:
            scalers += f" and {self.high_scaler:g}"
        return f"DCW {self.mode.value} {scalers}"


DCW_OFF: Final = DCW(scaler=0.0, high_scaler=0.0)


def pair_means(x: Tensor) -> Tensor:
    """The low band of a one-level Haar transform along time: each pair of frames of `x` [B, T, C]
    replaced by its mean. An odd length is continued by one frame of zeros, which is cut again.

    What it leaves of `x` is the high band: the transform is orthogonal.
    """
    frames = x.shape[1]
    padded = torch.nn.functional.pad(x, (0, 0, 0, frames % 2))
    means = padded.unflatten(1, (-1, 2)).mean(dim=2, keepdim=True)  # [B, T/2, 1, C]
    return means.expand(-1, -1, 2, -1).flatten(1, 2)[:, :frames]
