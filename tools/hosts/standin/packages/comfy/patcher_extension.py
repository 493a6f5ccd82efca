"""Stand-in for `comfy.patcher_extension`: wrappers around the model's call."""

from collections.abc import Callable
from typing import Any


class WrappersMP:
    PREPARE_SAMPLING = "prepare_sampling"  # the stand-in never calls it
    SAMPLER_SAMPLE = "sampler_sample"
    APPLY_MODEL = "apply_model"


def get_all_wrappers(
    wrapper_type: str, options: dict[str, Any], is_model_options: bool = False
) -> list[Any]:
    if is_model_options:
        options = options.get("transformer_options", {})
    by_key = options.get("wrappers", {}).get(wrapper_type, {})
    return [wrapper for found in by_key.values() for wrapper in found]


class WrapperExecutor:
    """Calls the first wrapper with an executor of the rest; the last one calls the original."""

    def __init__(self, original: Callable[..., Any], class_obj: Any, wrappers: list[Any]) -> None:
        self.original = original
        self.class_obj = class_obj
        self.wrappers = wrappers

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        rest = WrapperExecutor(self.original, self.class_obj, self.wrappers[1:])
        return rest.execute(*args, **kwargs)

    def execute(self, *args: Any, **kwargs: Any) -> Any:
        if self.wrappers:
            return self.wrappers[0](self, *args, **kwargs)
        return self.original(*args, **kwargs)
