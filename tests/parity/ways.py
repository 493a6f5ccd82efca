"""Other settings of the goldens' tasks: every mode of repaint, other strengths of a cover."""

from dataclasses import dataclass, field, replace
from functools import cache
from types import MappingProxyType
from typing import Any, Final

from safetensors.torch import load_file
from torch import Tensor

from ace_core.pipeline import sample
from ace_core.sampling.repaint import RepaintMode, preservation, soft_mask
from ace_core.task import Preservation
from ace_core.types import Variant

from . import checks, ours
from .cases import BY_NAME

CONSERVATIVE: Final = preservation(RepaintMode.CONSERVATIVE)


@dataclass(frozen=True, slots=True)
class Way:
    """A case, a description, and the fields of its task that differ."""

    case: str
    description: str
    changes: dict[str, Any] = field(default_factory=dict)


WAYS: Final = MappingProxyType(
    {
        "repaint_conservative": Way("repaint", "repaint, conservative", {"keep": CONSERVATIVE}),
        "repaint_aggressive": Way(
            "repaint", "repaint, aggressive", {"keep": preservation(RepaintMode.AGGRESSIVE)}
        ),
        "cover_0": Way("cover", "cover at strength 0", {"cover_strength": 0.0}),
        "cover_0.25": Way("cover", "cover at strength 0.25", {"cover_strength": 0.25}),
        "cover_noise": Way(
            "cover",
            "cover at strength 0.5 that starts with 0.4 of the source",
            {"cover_strength": 0.5, "source_strength": 0.4},
        ),
    }
)


@cache
def golden(size: str) -> dict[str, Tensor]:
    return load_file(checks.GOLDENS / f"trajectories_{size}.safetensors")


@cache
def latents(name: str, size: str, variant: Variant) -> Tensor:
    """Ours, every fourth channel."""
    way = WAYS[name]
    models = replace(ours.models(size), variant=variant)
    task = ours.task(BY_NAME[way.case], **way.changes)
    made = sample(models, task, checks.sampling_recipe(variant))
    return made[..., checks.KEPT]


def ramps(name: str) -> Tensor:
    """The frames [T] beside a region where a conservative repaint blends."""
    mask = checks.item(WAYS[name].case).mask
    keep: Preservation | None = WAYS[name].changes.get("keep")
    if mask is None or keep is None:
        raise ValueError(f"{name} blends nothing")
    soft = soft_mask(mask, keep.blend_frames)[0, :, 0]
    return (soft > 0) & (soft < 1)


def turbo(name: str, size: str) -> float:
    wanted = golden(size)[f"{name}.turbo"]
    return checks.difference(latents(name, size, Variant.TURBO), wanted)


def base(name: str, size: str) -> float:
    """Outside the ramps of a conservative repaint, where we differ on purpose."""
    made, wanted = latents(name, size, Variant.BASE), golden(size)[f"{name}.base"]
    if name == "repaint_conservative":
        rest = ~ramps(name)
        made, wanted = made[:, rest], wanted[:, rest]
    return checks.difference(made, wanted)
