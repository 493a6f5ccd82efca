"""Items of a LATENT batch, with what our sampler wrote beside them."""

from collections.abc import Sequence
from typing import Any

from .conditioning import KEY


def seeds_of(latent: dict[str, Any]) -> tuple[int, ...]:
    """One per item, as our sampler recorded them; none for a latent of another sampler."""
    return tuple(latent.get(KEY, {}).get("seeds", ()))


def select_items(latent: dict[str, Any], items: Sequence[int]) -> dict[str, Any]:
    """The batch of these items, in this order."""
    count = len(latent["samples"])
    made = {**latent, "samples": latent["samples"][list(items)]}
    mask = latent.get("noise_mask")
    if mask is not None and len(mask) == count:
        made["noise_mask"] = mask[list(items)]
    if "batch_index" in latent:
        made["batch_index"] = [latent["batch_index"][item] for item in items]
    seeds = seeds_of(latent)
    if seeds:
        made[KEY] = {**latent[KEY], "seeds": tuple(seeds[item] for item in items)}
    return made
