"""What to tell people about a choice that works and will not sound well; nothing is refused."""

from collections.abc import Sequence
from typing import Final

from ..types import Variant
from .guidance import Guidance
from .turbo import TURBO_TIMES

BASE_TASKS: Final = ("lego", "extract", "complete")  # only base was trained on them
_CLOSE: Final = 1e-4  # people write the trained times with four digits


def advice(variant: Variant | None, task: str, guidance: Guidance | None) -> list[str]:
    """Warnings with their reasons; `variant` None is unknown, `task` "" likewise."""
    said = []
    if task in BASE_TASKS and variant not in (Variant.BASE, None):
        said.append(
            f"The task {task} on {variant.value}: only base models were trained on it, others tend "
            "to ignore the instruction. Load a base model."
        )
    if variant is not None and variant.distilled and guidance is not None and guidance.active:
        said.append(
            f"Guidance {guidance.scale:g} on {variant.value}: guidance is distilled into its "
            "weights, more of it costs twice the time and tends to distort. Disconnect it."
        )
    return said


def schedule_advice(variant: Variant | None, times: Sequence[float]) -> list[str]:
    """Warnings about flow times that a model was not trained on."""
    if variant is not Variant.TURBO:
        return []
    strange = [t for t in times if t > 0 and min(abs(t - known) for known in TURBO_TIMES) > _CLOSE]
    if not strange:
        return []
    listed = ", ".join(f"{t:.4g}" for t in strange[:4]) + (", ..." if len(strange) > 4 else "")
    return [
        f"Turbo was trained on {len(TURBO_TIMES)} flow times only; {listed} {_are(strange)} not "
        "among them. Use 8 steps with shift 1, 2 or 3, snap the times, or load turbo-continuous."
    ]


def _are(values: Sequence[float]) -> str:
    return "is" if len(values) == 1 else "are"
