"""Example 8: four variations, three of them from seeds of one's own."""

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
        caption="epic cinematic trailer music",
    )
    config = GenerationConfig(
        batch_size=4,  # four variations
        seeds=[42, 123, 456],  # the fourth is drawn
        use_random_seed=False,  # use the seeds above
        lm_batch_chunk_size=2,  # two at a time, with allow_lm_batch
    )
    params = replace(params, **changes)
    result = generate_music(dit_handler, llm_handler, params, config, save_dir=save_dir)
    if result.success:
        print(f"Generated {len(result.audios)} variations")
        for audio in result.audios:
            print(f"  Seed {audio['params']['seed']}: {audio['path']}")
    return result


if __name__ == "__main__":
    import sys

    from api_examples.stage import play

    sys.exit(play([("chosen_seeds", main, False)], sys.argv[1:]))
