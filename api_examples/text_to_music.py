"""Example 1: two songs from a description."""

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
        caption="calm ambient music with soft piano and strings",
        duration=60,
        bpm=80,
        keyscale="C Major",
    )
    config = GenerationConfig(
        batch_size=2,  # two variations
        audio_format="flac",
    )
    params = replace(params, **changes)
    result = generate_music(dit_handler, llm_handler, params, config, save_dir=save_dir)
    if result.success:
        for i, audio in enumerate(result.audios, 1):
            print(f"Variation {i}: {audio['path']}")
    return result


if __name__ == "__main__":
    import sys

    from api_examples.stage import play

    sys.exit(play([("text_to_music", main, False)], sys.argv[1:]))
