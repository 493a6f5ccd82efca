"""Example 3: a schedule of one's own. Turbo moves each time to one that it knows and says so."""

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
        caption="jazz fusion with complex harmonies",
        timesteps=[0.97, 0.76, 0.615, 0.5, 0.395, 0.28, 0.18, 0.085, 0],
        thinking=True,
    )
    config = GenerationConfig(batch_size=1)
    params = replace(params, **changes)
    result = generate_music(dit_handler, llm_handler, params, config, save_dir=save_dir)
    print(result.status_message)
    return result


if __name__ == "__main__":
    import sys

    from api_examples.stage import play

    sys.exit(play([("custom_timesteps", main, False)], sys.argv[1:]))
