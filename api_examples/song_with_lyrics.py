"""Example 2: a song with words to sing."""

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
        caption="pop ballad with emotional vocals",
        lyrics="""Verse 1:
Walking down the street today
Thinking of the words you used to say
Everything feels different now
But I'll find my way somehow

Chorus:
I'm moving on, I'm staying strong
This is where I belong
""",
        vocal_language="en",
        bpm=72,
        duration=45,
    )
    config = GenerationConfig(batch_size=1)
    params = replace(params, **changes)
    result = generate_music(dit_handler, llm_handler, params, config, save_dir=save_dir)
    return result


if __name__ == "__main__":
    import sys

    from api_examples.stage import play

    sys.exit(play([("song_with_lyrics", main, False)], sys.argv[1:]))
