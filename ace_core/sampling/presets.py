"""What suits each variant: its defaults, and warnings about choices that work and sound bad.

Source: acestep/ui/gradio/events/generation/model_config.py, get_ui_control_config, and
acestep/ui/gradio/interfaces/generation_advanced_dit_controls.py: the values that the official
interface shows when a model is loaded. (Its library defaults differ: shift 1 for every variant.)
DCW is for turbo alone, as in _resolve_dcw_enabled of the official handler since August 2026.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ..types import Variant
from .dcw import DCW
from .guidance import Guidance
from .schedules import TURBO_TIMES
from .solvers import Solver

BASE_TASKS: Final = ("lego", "extract", "complete")  # only base was trained on them
FEWEST_STEPS: Final = 20  # of base and sft, below which they sound unfinished
_CLOSE: Final = 1e-4  # people write the trained times with four digits


@dataclass(frozen=True, slots=True)
class Preset:
    """Steps, shift, guidance, solver and DCW of a variant; None is no guidance and no DCW."""

    steps: int
    shift: float
    guidance: Guidance | None
    solver: Solver = Solver.EULER
    dcw: DCW | None = None

    @property
    def guidance_scale(self) -> float:
        """The scale as a number: 1 is no guidance."""
        return self.guidance.scale if self.guidance is not None else 1.0


PRESETS: Final[Mapping[Variant, Preset]] = MappingProxyType(
    {
        Variant.TURBO: Preset(steps=8, shift=3.0, guidance=None, dcw=DCW()),
        # the official interface has no entry for it and takes turbo's by the name
        Variant.TURBO_CONTINUOUS: Preset(steps=8, shift=3.0, guidance=None, dcw=DCW()),
        Variant.BASE: Preset(steps=32, shift=3.0, guidance=Guidance()),
        Variant.SFT: Preset(steps=50, shift=3.0, guidance=Guidance()),
    }
)


def preset(variant: Variant) -> Preset:
    """The preset of `variant`."""
    return PRESETS[variant]


def applied_dcw(dcw: DCW | None, variant: Variant | None, solver: Solver) -> DCW | None:
    """What corrects the steps of a run. `dcw` None is the preset of `variant` (None: unknown, not
    corrected), which leaves the solver sde alone.

    Raises:
        InvalidScheduleError: a `dcw` is given that cannot correct the steps of `solver`.
    """
    if dcw is not None:
        dcw.check_solver(solver)
        return dcw if dcw.active else None
    if variant is None or solver is Solver.SDE:
        return None
    return preset(variant).dcw


def merge_advice(merged: Sequence[Variant]) -> str:
    """What to choose for a merge of these variants, as sentences; empty for no merge."""
    if not merged:
        return ""
    ways = [f"{variant.value} ({_described(PRESETS[variant])})" for variant in merged]
    return (
        f"Its name holds {len(merged)} variants, so it is a merge, and its best settings are known "
        f"only by ear. Set `variant` to {' or '.join(ways)}, and compare."
    )


def _described(chosen: Preset) -> str:
    guidance = "off" if chosen.guidance is None else f"{chosen.guidance_scale:g}"
    return f"{chosen.steps} steps, guidance {guidance}"


def variant_warnings(variant: Variant | None, task: str, guidance: Guidance | None) -> list[str]:
    """What the task and the guidance do on `variant` (None: unknown); `task` "" is unknown, too."""
    warnings = []
    if task in BASE_TASKS and variant not in (Variant.BASE, None):
        warnings.append(
            f"The task {task} on {variant.value}: only base models were trained on it, others tend "
            "to ignore the instruction. Load a base model."
        )
    if variant is not None and variant.distilled and guidance is not None and guidance.active:
        warnings.append(
            f"Guidance {guidance.scale:g} on {variant.value}: guidance is distilled into its "
            "weights, more of it costs twice the time and tends to distort. Disconnect it."
        )
    return warnings


def preset_advice(variant: Variant | None, steps: int, shift: float | None) -> list[str]:
    """What to change about a number of steps or a shift that is another variant's. `shift` None is
    that of no known formula."""
    if variant is None:
        return []
    usual, advice = preset(variant), []
    if not variant.distilled and steps < FEWEST_STEPS:
        advice.append(
            f"{steps} steps on {variant.value}: only turbo models are made for so few, others "
            f"sound unfinished. Take {usual.steps}, or load a turbo model."
        )
    if variant.distilled and shift is not None and abs(shift - 1) < _CLOSE:
        advice.append(
            f"Shift 1 on {variant.value}: its steps are usually shifted by {usual.shift:g}, which "
            "spends more of them on the form of the song. Set the shift to that and compare."
        )
    return advice


def schedule_warnings(variant: Variant | None, times: Sequence[float]) -> list[str]:
    """Warnings about flow times that the variant was not trained on."""
    if variant is not Variant.TURBO:
        return []
    untrained = [t for t in times if t > 0 and all(abs(t - u) > _CLOSE for u in TURBO_TIMES)]
    if not untrained:
        return []
    listed = ", ".join(f"{t:.4g}" for t in untrained[:4]) + (", ..." if len(untrained) > 4 else "")
    return [
        f"Turbo was trained on {len(TURBO_TIMES)} flow times only; {listed} {_are(untrained)} not "
        "among them. Use 8 steps with shift 1, 2 or 3, snap the times, or load turbo-continuous."
    ]


def _are(values: Sequence[float]) -> str:
    return "is" if len(values) == 1 else "are"
