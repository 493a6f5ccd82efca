"""A guided velocity: what a solver calls, with the memory of one run.

It knows how to combine two velocities, not where they come from.
"""

from collections.abc import Callable

from torch import Tensor

from .flow import Velocity, corrector_of
from .guidance import Guidance, GuidanceKind, adg, apg, cfg, clamp_norm, smooth

Pair = Callable[[Tensor, float], tuple[Tensor, Tensor]]  # (x, t) -> with words, without words


class GuidedVelocity:
    """One run's velocity: guided inside the interval, one plain forward outside it.

    `pair` gives both velocities at once and `single` only the one with words. Make a new object
    for every run: it remembers APG's momentum and the previous velocity.
    """

    def __init__(self, pair: Pair, single: Velocity, guidance: Guidance) -> None:
        self._pair = pair
        self._single = single
        self._guidance = guidance
        self._momentum: Tensor | None = None  # [B, T, C]
        self._previous: Tensor | None = None  # [B, T, C]

    def __call__(self, x: Tensor, t: float) -> Tensor:
        v = self._steady(self._first_look(x, t), x)
        self._previous = v
        return v

    def corrector(self, x: Tensor, t: float) -> Tensor:
        """The second look of a Heun step, at the predicted `x`.

        It guides by plain CFG in place of APG, so that a step advances the momentum once, and
        remembers the mean of both looks, which is the velocity that the step takes.
        """
        v = self._steady(self._second_look(x, t), x)
        if self._previous is not None:
            self._previous = 0.5 * (self._previous + v)
        return v

    def _first_look(self, x: Tensor, t: float) -> Tensor:
        guidance = self._guidance
        if not guidance.covers(t):
            return self._single(x, t).to(x.dtype)
        cond, uncond = _in_dtype_of(x, self._pair(x, t))
        if guidance.kind is not GuidanceKind.APG:
            return self._plain(x, t, cond, uncond)
        v, self._momentum = apg(cond, uncond, guidance.scale, self._momentum)
        return v

    def _second_look(self, x: Tensor, t: float) -> Tensor:
        if not self._guidance.covers(t):
            return corrector_of(self._single)(x, t).to(x.dtype)
        return self._plain(x, t, *_in_dtype_of(x, corrector_of(self._pair)(x, t)))

    def _plain(self, x: Tensor, t: float, cond: Tensor, uncond: Tensor) -> Tensor:
        """Guidance without memory: ADG if it was chosen and `t` allows it, else CFG."""
        if self._guidance.kind is GuidanceKind.ADG and t > 0:
            return adg(x, t, cond, uncond, self._guidance.scale)
        return cfg(cond, uncond, self._guidance.scale)

    def _steady(self, v: Tensor, x: Tensor) -> Tensor:
        threshold = self._guidance.norm_threshold
        if threshold is not None:
            v = clamp_norm(v, x, threshold)
        return smooth(v, self._previous, self._guidance.velocity_ema)


def _in_dtype_of(x: Tensor, pair: tuple[Tensor, Tensor]) -> tuple[Tensor, Tensor]:
    """Both velocities in the precision of the latent, which is the finer one."""
    cond, uncond = pair
    return cond.to(x.dtype), uncond.to(x.dtype)
