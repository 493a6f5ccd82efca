"""Stand-in for ComfyUI's `latent_preview`: progress without pictures."""

from typing import Any

import comfy.utils


def prepare_callback(model: Any, steps: int, x0_output_dict: dict[str, Any] | None = None) -> Any:
    bar = comfy.utils.ProgressBar(steps)

    def callback(step: int, x0: Any, x: Any, total_steps: int) -> None:
        bar.update_absolute(step + 1, total_steps)

    return callback
