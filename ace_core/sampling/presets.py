"""What each variant is sampled with when the user leaves it open.

Source: acestep/ui/gradio/events/generation/model_config.py, get_ui_control_config, and
acestep/ui/gradio/interfaces/generation_advanced_dit_controls.py: the values that the official
interface shows when a model is loaded. (Its library defaults differ: shift 1 for every variant.)
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from ..types import Variant
from .flow import Solver
from .guidance import Guidance


@dataclass(frozen=True, slots=True)
class Preset:
    """Steps, shift, guidance and solver of a variant; no guidance where it is distilled in."""

    steps: int
    shift: float
    guidance: Guidance | None
    solver: Solver = Solver.EULER

    @property
    def guidance_scale(self) -> float:
        """The scale as a number: 1 is no guidance."""
        return self.guidance.scale if self.guidance is not None else 1.0


PRESETS: Final[Mapping[Variant, Preset]] = MappingProxyType(
    {
        Variant.TURBO: Preset(steps=8, shift=3.0, guidance=None),
        # no entry of its own in the official interface, which goes by "turbo" in the name
        Variant.TURBO_CONTINUOUS: Preset(steps=8, shift=3.0, guidance=None),
        Variant.BASE: Preset(steps=32, shift=3.0, guidance=Guidance()),
        Variant.SFT: Preset(steps=50, shift=3.0, guidance=Guidance()),
    }
)


def preset(variant: Variant) -> Preset:
    """The preset of `variant`."""
    return PRESETS[variant]
