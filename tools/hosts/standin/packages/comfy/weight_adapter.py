"""Stand-in for `comfy.weight_adapter`: what a patch is that computes its own change of a weight."""

from typing import Any


class WeightAdapterBase:
    """`weights` is a tuple that the host may move; `calculate_weight` changes a weight in place."""

    name: str
    loaded_keys: set[str]
    weights: Any

    def calculate_weight(self, weight: Any, key: str, strength: float, *rest: Any) -> Any:
        raise NotImplementedError
