"""The exact prompts, as text and as the ids of the published tokenizer."""

import pytest

from ace_core.lm import prompts
from ace_core.lm.metadata import Metadata, think_block

PIANO = ("calm piano", "[Instrumental]")
FACTS = Metadata(bpm=80, seconds=30, key="C major", time_signature=4)
GENERATE_IDS = [
    *(151644, 8948, 198, 2, 29051, 198, 31115, 7699, 41733, 11211, 3118, 389, 279, 2661, 4682),
    *(1447, 151645, 198, 151644, 872, 198),
]
PLAN_IDS = [
    *GENERATE_IDS,
    *(2, 37600, 198, 5416, 76, 26278, 271, 2, 15953, 2216, 198, 58, 56324, 278, 921, 151645, 198),
    *(151644, 77091, 198),
]
BLOCK_IDS = [
    *(151667, 198, 65, 5187, 25, 220, 23, 15, 198, 17021, 25, 220, 18, 15, 198, 10563, 2246, 25),
    *(356, 3598, 198, 15136, 622, 1568, 25, 220, 19, 198, 151668, 271),
]
NOTHING_IDS = [
    *GENERATE_IDS,
    *(8996, 13872, 26149, 151645, 198, 151644, 77091, 198, 151667, 271, 151668, 271),
]


def test_the_plan_prompt_holds_caption_and_lyrics():
    assert prompts.plan_prompt(" calm piano", "[Verse]\nla\n") == (
        "<|im_start|>system\n# Instruction\n"
        "Generate audio semantic tokens based on the given conditions:\n\n<|im_end|>\n"
        "<|im_start|>user\n# Caption\n calm piano\n\n# Lyric\n[Verse]\nla\n\n<|im_end|>\n"
        "<|im_start|>assistant\n"
    )


def test_codes_follow_the_block_in_the_open_turn():
    prompt = prompts.codes_prompt(*PIANO, FACTS)
    assert prompt == f"{prompts.plan_prompt(*PIANO)}{think_block(FACTS)}\n\n"
    assert prompt.endswith("timesignature: 4\n</think>\n\n")


@pytest.mark.parametrize("negative", ["", "  ", "NO USER INPUT"])
def test_without_a_negative_prompt_the_uncond_prompt_is_empty(negative):
    prompt = prompts.uncond_prompt(negative)
    assert "<|im_start|>user\nNO USER INPUT<|im_end|>\n" in prompt
    assert prompt.endswith("<|im_start|>assistant\n<think>\n\n</think>\n\n")


def test_a_negative_prompt_has_no_headings():
    assert "user\nlow quality<|im_end|>" in prompts.uncond_prompt("low quality")


def test_the_legacy_layout_closes_the_turn_and_keeps_the_song():
    codes = prompts.legacy_codes_prompt(*PIANO, FACTS)
    assert codes == f"{prompts.codes_prompt(*PIANO, FACTS)}<|im_end|>\n"
    other = prompts.legacy_uncond_prompt(*PIANO)
    assert other == f"{prompts.plan_prompt(*PIANO)}<think>\n\n</think>\n\n<|im_end|>\n"
    negative = prompts.legacy_uncond_prompt(*PIANO, "noise")
    assert "# Caption\nnoise\n\n# Lyric\n[Instrumental]\n" in negative


def test_the_understand_prompt_holds_the_codes_and_nothing_else():
    prompt = prompts.understand_prompt("<|audio_code_5|>")
    assert (
        "# Instruction\nUnderstand the given musical conditions and describe the audio " in prompt
    )
    assert prompt.endswith("user\n<|audio_code_5|><|im_end|>\n<|im_start|>assistant\n")
    assert "user\nNO USER INPUT<|im_end|>" in prompts.understand_prompt("")


def test_the_create_prompt_always_has_the_instrumental_flag():
    assert "user\na duet\n\ninstrumental: false<|im_end|>" in prompts.create_prompt("a duet", False)
    assert "user\nNO USER INPUT\n\ninstrumental: true<|im_end|>" in prompts.create_prompt(" ", True)
    assert "Expand the user's input into a more detailed and" in prompts.create_prompt("", True)


def test_the_format_prompt_ends_without_a_newline():
    prompt = prompts.format_prompt("pop", "la la")
    assert "Format the user's input into a more detailed and specific" in prompt
    assert "user\n# Caption\npop\n\n# Lyric\nla la<|im_end|>\n" in prompt
    blank = prompts.format_prompt("", " ")
    assert "# Caption\nNO USER INPUT\n\n# Lyric\n[Instrumental]<|im_end|>" in blank


@pytest.mark.host
def test_the_published_tokenizer_gives_the_published_ids(qwen):
    assert len(PLAN_IDS) == 41
    assert qwen.encode(prompts.plan_prompt(*PIANO)) == PLAN_IDS
    assert qwen.encode(prompts.codes_prompt(*PIANO, FACTS)) == PLAN_IDS + BLOCK_IDS
    assert qwen.encode(prompts.uncond_prompt()) == NOTHING_IDS
    assert len(NOTHING_IDS) == 33
    legacy = qwen.encode(prompts.legacy_codes_prompt(*PIANO, FACTS))
    assert legacy == [*PLAN_IDS, *BLOCK_IDS, 151645, 198]


@pytest.mark.host
def test_codes_in_a_prompt_become_their_ids(qwen):
    ids = qwen.encode(prompts.understand_prompt("<|audio_code_0|><|audio_code_63999|>"))
    assert ids[:20] == [
        *(151644, 8948, 198, 2, 29051, 198, 16250, 2685, 279, 2661, 17795, 4682, 323, 7512, 279),
        *(7699, 52694, 27079, 1447, 151645),
    ]
    assert ids[24:28] == [151_669, 215_668, 151_645, 198]
