"""Example 6: the language model words a draft, then it is played."""

from dataclasses import replace
from typing import Any

from ace_core.inference import (
    AceStepHandler,
    GenerationConfig,
    GenerationParams,
    GenerationResult,
    LLMHandler,
    format_sample,
    generate_music,
)


def main(
    dit_handler: AceStepHandler,
    llm_handler: LLMHandler,
    save_dir: str,
    recording: str,
    **changes: Any,
) -> GenerationResult:
    formatted = format_sample(
        llm_handler=llm_handler,
        caption="rock ballad",
        lyrics="[Verse]\nIn the darkness I find my way...",
    )
    if not formatted.success:
        return GenerationResult(success=False, error=formatted.error)
    params = GenerationParams(
        caption=formatted.caption,
        lyrics=formatted.lyrics,
        bpm=formatted.bpm,
        duration=formatted.duration or -1.0,
        keyscale=formatted.keyscale,
        thinking=True,
        use_cot_metas=False,  # already there
    )
    config = GenerationConfig(batch_size=2)
    params = replace(params, **changes)
    result = generate_music(dit_handler, llm_handler, params, config, save_dir=save_dir)
    return result


if __name__ == "__main__":
    import sys

    from api_examples.stage import play

    sys.exit(play([("polished_draft", main, False)], sys.argv[1:]))
