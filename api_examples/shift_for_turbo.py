"""Example 4: the shift that turbo sounds best with."""

from dataclasses import replace
from typing import Any

from ace_core.inference import (
    AceStepHandler,
    GenerationConfig,
    GenerationParams,
    GenerationResult,
    LLMHandler,
    generate_music,
)


def main(
    dit_handler: AceStepHandler,
    llm_handler: LLMHandler,
    save_dir: str,
    recording: str,
    **changes: Any,
) -> GenerationResult:
    params = GenerationParams(
        task_type="text2music",
        caption="upbeat electronic dance music",
        inference_steps=8,
        shift=3.0,  # recommended for turbo models
        infer_method="ode",
    )
    config = GenerationConfig(batch_size=2)
    params = replace(params, **changes)
    result = generate_music(dit_handler, llm_handler, params, config, save_dir=save_dir)
    return result


if __name__ == "__main__":
    import sys

    from api_examples.stage import play

    sys.exit(play([("shift_for_turbo", main, False)], sys.argv[1:]))
