"""Texts as they are pasted, through the library: cleaned in one place, and said."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch

from ace_core.batch.prompts import request_of
from ace_core.inference import LLMHandler, create_sample, format_sample
from ace_core.inference.texts import draw_texts

from .conftest import ONE, Make

PASTED = "\ufeff[Verse]\r\nrock&nbsp;&amp; roll\u200b"
CLEAN = "[Verse]\nrock & roll"


def test_pasted_lyrics_make_the_song_of_the_clean_ones_and_the_status_says_so(make: Make):
    pasted, clean = make(lyrics=PASTED), make(lyrics=CLEAN)
    assert pasted.success, pasted.error
    assert torch.equal(pasted.audios[0]["tensor"], clean.audios[0]["tensor"])
    assert pasted.audios[0]["params"]["lyrics"] == CLEAN
    line = next(each for each in pasted.status_message.splitlines() if "cleaned" in each)
    assert line.startswith("`lyrics` was cleaned: 2 HTML entities, 1 line end of another system")
    assert "cleaned" not in clean.status_message


@pytest.mark.parametrize("mark", ["\ufeff", "\u200b", "\u200e"])
def test_a_mark_before_the_tag_does_not_make_an_instrumental_sung(make: Make, mark: str):
    marked, plain = (make(lyrics=f"{start}[Instrumental]") for start in (mark, ""))
    assert torch.equal(marked.audios[0]["tensor"], plain.audios[0]["tensor"])


def test_every_text_of_a_call_is_cleaned():
    texts = {"caption": "a\u200bb", "lyrics": "a\u200bb"}
    texts |= {f"flow_edit_source_{name}": text for name, text in texts.items()}
    params, _ = request_of(texts, Path())
    (drawn,) = draw_texts(params, (1,))
    assert {getattr(drawn.params, name) for name in texts} == {"ab"}
    assert len(drawn.notes) == len(texts)


def test_sections_in_another_form_are_offered_and_left_as_they_are(make: Make):
    result = make(lyrics="Verse 1:\nla la\n(Chorus)\nna na", config=replace(ONE, batch_size=1))
    assert "line 1 as [Verse 1], line 3 as [Chorus]" in result.status_message
    assert result.audios[0]["params"]["lyrics"].startswith("Verse 1:\n")


def test_the_language_model_gets_clean_texts(lm: LLMHandler):
    made = [format_sample(lm, "calm", words, seed=20) for words in (PASTED, CLEAN)]
    assert made[0].success, made[0].error
    assert (made[0].caption, made[0].lyrics) == (made[1].caption, made[1].lyrics)
    assert "`lyrics` was cleaned" in made[0].status_message
    assert "cleaned" not in made[1].status_message
    offered = format_sample(lm, "calm", "Verse 1:\nla", seed=20)
    assert "line 1 as [Verse 1]" in offered.status_message
    idea = create_sample(lm, "a calm\u00a0song", seed=20)
    assert "`query` was cleaned: 1 no-break space" in idea.status_message
