"""Example 5: the language model makes the song up, the diffusion model plays it."""

from dataclasses import replace
from typing import Any

from ace_core.inference import (
    AceStepHandler,
    GenerationConfig,
    GenerationParams,
    GenerationResult,
    LLMHandler,
    create_sample,
    generate_music,
)


def main(
    dit_handler: AceStepHandler,
    llm_handler: LLMHandler,
    save_dir: str,
    recording: str,
    **changes: Any,
) -> GenerationResult:
    sample = create_sample(
        llm_handler=llm_handler,
        query="energetic K-pop dance track with catchy hooks",
        vocal_language="ko",
    )
    if not sample.success:
        return GenerationResult(success=False, error=sample.error)
    params = GenerationParams(
        caption=sample.caption,
        lyrics=sample.lyrics,
        bpm=sample.bpm,
        duration=sample.duration or -1.0,
        keyscale=sample.keyscale,
        vocal_language=sample.language,
        thinking=True,
    )
    config = GenerationConfig(batch_size=2)
    params = replace(params, **changes)
    result = generate_music(dit_handler, llm_handler, params, config, save_dir=save_dir)
    return result


if __name__ == "__main__":
    import sys

    from api_examples.stage import play

    sys.exit(play([("song_from_an_idea", main, False)], sys.argv[1:]))
