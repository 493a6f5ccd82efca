"""Flow edit: a recording's words exchanged for others while the recording is kept (morph).

The edited latent z starts as the source. In each step of a window the source is noised, the same
change is made to z, and z moves by the difference of the velocities under the new words and under
the words that describe the source. Behind the window z is noised once and sampled under the new
words alone.

Source: Kulikov et al., "FlowEdit: Inversion-Free Text-Based Editing Using Pre-Trained Flow Models",
arXiv 2412.08629; acestep/models/common/flow_edit.py and flow_edit_helpers.py of the official code.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import torch
from torch import Tensor

from ..errors import InvalidRequestError
from ..task import EditWindow
from .dcw import DCW
from .guidance import Guidance
from .solvers import OnStep, Solver, Velocity, euler

Draw = Callable[[Tensor, float, int, int], Tensor]  # (x, t, index, count) -> dx/dt [B, T, C]


@dataclass(frozen=True, slots=True, eq=False)
class EditOptions:
    """What a flow edit takes beside the source and the velocities."""

    times: Sequence[float]  # falling to 0
    window: EditWindow
    noise: Iterator[Tensor]  # draws [B, T, C]: n_avg for each step of the window, one behind it
    on_step: OnStep | None = None


def flow_edit(
    source_words: Velocity, new_words: Velocity, source: Tensor, run: EditOptions
) -> Tensor:
    """`source` [B, T, C] with its words exchanged, as a new latent.

    `source_words` and `new_words` are the velocities under either; each keeps the state of its own
    guidance, and is called by its method `draw` where it has one.
    """
    first, behind = run.window.steps(len(run.times) - 1)
    z = source
    for step, (t, t_next) in list(enumerate(pairwise(run.times)))[first:behind]:
        change = _difference(source_words, new_words, (source, z), t, run)
        if run.on_step is not None:
            run.on_step(step, z - t * change)
        z = z + (t_next - t) * change
    if behind == len(run.times) - 1:
        return z
    noised = z + run.times[behind] * (next(run.noise).to(z) - source)
    return euler(new_words, noised, run.times[behind:], _numbered_from(behind, run.on_step))


def _difference(
    source_words: Velocity,
    new_words: Velocity,
    latents: tuple[Tensor, Tensor],
    t: float,
    run: EditOptions,
) -> Tensor:
    """How the velocity under the new words differs from that under the source's, at the source and
    at the edited latent with the same noise, averaged over the draws of a step."""
    source, z = latents
    total = torch.zeros_like(z)
    for index in range(run.window.n_avg):
        noised = (1 - t) * source + t * next(run.noise).to(z)
        old = draw_of(source_words)(noised, t, index, run.window.n_avg)
        new = draw_of(new_words)(z + noised - source, t, index, run.window.n_avg)
        total = total + (new.to(z) - old.to(z))
    return total / run.window.n_avg


def draw_of(velocity: Velocity) -> Draw:
    """`velocity.draw`, which knows how many draws make a step, else `velocity` itself."""
    return getattr(velocity, "draw", lambda x, t, index, count: velocity(x, t))


def _numbered_from(first: int, on_step: OnStep | None) -> OnStep | None:
    if on_step is None:
        return None
    return lambda step, x0: on_step(first + step, x0)


def check_edit(solver: Solver | None, guidance: Guidance | None, dcw: DCW | None = None) -> None:
    """
    Raises:
        InvalidRequestError: a choice that a flow edit cannot follow.
    """
    refused = []
    if solver not in (None, Solver.EULER):
        refused.append(f"the solver {solver.value} (use euler)")
    if guidance is not None and guidance.kind.by_angle:
        refused.append("ADG (use APG or CFG)")
    if dcw is not None and dcw.active:
        refused.append(f"{dcw} (turn it off)")
    if refused:
        raise InvalidRequestError(
            f"A morph takes Euler steps of the difference of two velocities and cannot follow "
            f"{', '.join(refused)}."
        )
