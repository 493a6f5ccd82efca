"""Stand-in for ComfyUI's `node_helpers`."""

from typing import Any


def conditioning_set_values(
    conditioning: list[Any], values: dict[str, Any] | None = None, append: bool = False
) -> list[Any]:
    """A copy whose dictionaries have `values`; with `append` lists grow instead."""
    new = []
    for embedding, found in conditioning:
        merged = dict(found)
        for key, value in (values or {}).items():
            merged[key] = merged.get(key, []) + value if append else value
        new.append([embedding, merged])
    return new
