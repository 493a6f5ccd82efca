"""Example 9: the base model with many steps and adaptive guidance."""

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
        caption="intricate jazz fusion with complex harmonies",
        inference_steps=64,  # high quality
        guidance_scale=8.0,
        use_adg=True,
        cfg_interval_start=0.0,
        cfg_interval_end=1.0,
        shift=3.0,
        seed=42,
    )
    config = GenerationConfig(
        batch_size=1,
        use_random_seed=False,
        audio_format="wav",  # lossless
    )
    params = replace(params, **changes)
    result = generate_music(dit_handler, llm_handler, params, config, save_dir=save_dir)
    return result


if __name__ == "__main__":
    import sys

    from api_examples.stage import play

    sys.exit(play([("high_quality_base", main, True)], sys.argv[1:]))
