"""Example 10: what audio codes play."""

from typing import Any

from ace_core.inference import (
    AceStepHandler,
    LLMHandler,
    UnderstandResult,
    understand_music,
)


def main(
    dit_handler: AceStepHandler,
    llm_handler: LLMHandler,
    save_dir: str,
    recording: str,
    **changes: Any,
) -> UnderstandResult:
    result = understand_music(
        llm_handler=llm_handler,
        audio_codes="<|audio_code_10695|><|audio_code_54246|>...",
        temperature=0.85,
    )
    if result.success:
        print(f"Detected Caption: {result.caption}")
        print(f"Detected Lyrics: {result.lyrics}")
        print(f"Detected BPM: {result.bpm}")
        print(f"Detected Key: {result.keyscale}")
        print(f"Detected Duration: {result.duration}s")
        print(f"Detected Language: {result.language}")
    return result


if __name__ == "__main__":
    import sys

    from api_examples.stage import play

    sys.exit(play([("understand_codes", main, False)], sys.argv[1:]))
