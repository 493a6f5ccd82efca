"""Example 7: a recording in another style, with the facts that the language model finds."""

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
        task_type="cover",
        src_audio=recording,
        caption="orchestral symphonic arrangement",
        audio_cover_strength=0.7,
        thinking=True,  # the language model finds the facts
        use_cot_metas=True,
    )
    config = GenerationConfig(batch_size=1)
    params = replace(params, **changes)
    result = generate_music(dit_handler, llm_handler, params, config, save_dir=save_dir)
    if result.extra_outputs.get("lm_metadata"):
        lm_meta = result.extra_outputs["lm_metadata"]
        print(f"LM detected BPM: {lm_meta.get('bpm')}")
        print(f"LM detected Key: {lm_meta.get('keyscale')}")
    return result


if __name__ == "__main__":
    import sys

    from api_examples.stage import play

    sys.exit(play([("style_cover", main, False)], sys.argv[1:]))
