"""Wildcards of a call: drawn by each song's seed, in the record of the song, and made again."""

from dataclasses import replace

import torch

from ace_core.inference import GenerationParams, GenerationResult, LLMHandler
from ace_core.inference.music import joined
from ace_core.inference.texts import draw_texts
from ace_core.wildcards import expand

from .conftest import ONE, Make

CAPTION = "a {calm|loud|slow|wild} {piano|guitar} piece"
LYRICS = "[Verse]\nla {la|na} la"
TWO = replace(ONE, batch_size=2, seeds=[1, 2])


def test_each_song_of_a_batch_is_drawn_by_its_own_seed_and_can_be_made_again(make: Make):
    both = make(caption=CAPTION, lyrics=LYRICS, config=TWO)
    assert both.success, both.error
    drawn = [audio["params"] for audio in both.audios]
    assert [each["seed"] for each in drawn] == [1, 2]
    assert [each["caption"] for each in drawn] == [
        expand(CAPTION, seed, "caption").text for seed in (1, 2)
    ]
    assert drawn[0]["caption"] != drawn[1]["caption"]
    assert "{" not in drawn[0]["lyrics"]
    assert drawn[0]["lyrics"].startswith("[Verse]\nla ")
    for item, recorded in enumerate(drawn):
        again = make(config=replace(ONE, seeds=[recorded["seed"]]), **recorded)
        assert torch.equal(again.audios[0]["tensor"], both.audios[item]["tensor"])
        assert again.audios[0]["key"] == both.audios[item]["key"]


def test_the_report_says_what_was_drawn(make: Make):
    result = make(caption="{calm|calm} piano", config=replace(ONE, seeds=[5]))
    assert "1 song made, seeds 5." in result.status_message
    assert "Wildcards of `caption`, seed 5: 'calm'." in result.status_message


def test_a_text_without_wildcards_is_kept_and_its_songs_are_made_together(make: Make):
    text = "calm {piano} x|y}"
    together = make(caption=text, config=TWO)
    assert [audio["params"]["caption"] for audio in together.audios] == [text, text]
    assert len(draw_texts(GenerationParams(caption=text), (1, 2))) == 1


def test_a_kept_sign_stays_kept_in_the_record():
    drawn = draw_texts(GenerationParams(caption=r"{a|a} \{b|c\}", lyrics=r"\{"), (3,))[0]
    assert (drawn.params.caption, drawn.params.lyrics) == ("a {b|c}", "{")
    again = draw_texts(replace(drawn.params, **drawn.stored), (3,))[0]
    assert (again.params.caption, again.params.lyrics) == ("a {b|c}", "{")


def test_the_limits_hold_for_the_text_that_is_drawn(make: Make):
    assert make(caption="{" + "a" * 400 + "|" + "b" * 400 + "}").success
    result = make(caption="{" + "a" * 513 + "|" + "b" * 513 + "}")
    assert "513" in str(result.error)
    assert "at most 32" in str(make(caption="{a|" * 33 + "}" * 33).error)


def test_each_song_of_drawn_texts_is_planned_by_itself(make: Make, lm: LLMHandler):
    result = make(caption=CAPTION, lm=lm, thinking=True, config=TWO)
    assert result.success, result.error
    codes = [audio["params"]["audio_codes"] for audio in result.audios]
    assert codes[0] != codes[1]
    recorded = result.audios[1]["params"]
    again = make(lm=lm, config=replace(ONE, seeds=[2]), **recorded)
    assert torch.equal(again.audios[0]["tensor"], result.audios[1]["tensor"])


def test_progress_goes_once_from_nought_to_one(make: Make):
    shares: list[float] = []
    make(caption=CAPTION, config=TWO, progress=lambda share, desc: shares.append(share))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert any(0.4 < share <= 0.5 for share in shares)


def test_songs_of_several_lengths_are_one_result_with_the_rest_masked():
    runs = [
        GenerationResult(
            audios=[{"seed": frames}],
            status_message=f"said\nof {frames}",
            extra_outputs={
                "latents": torch.ones(1, frames, 64),
                "masks": torch.ones(1, frames),
                "lm_metadata": {"duration": frames},
                "time_costs": {"pipeline_total_time": frames},
            },
        )
        for frames in (250, 300)
    ]
    whole = joined(runs, ["2 songs"])
    assert whole.status_message == "2 songs\nsaid\nof 250\nof 300"
    assert [audio["seed"] for audio in whole.audios] == [250, 300]
    extra = whole.extra_outputs
    assert extra["latents"].sum(dim=(1, 2)).tolist() == [250 * 64, 300 * 64]
    assert (extra["latents"].shape, extra["masks"].sum(dim=1).tolist()) == (
        (2, 300, 64),
        [250, 300],
    )
    assert extra["lm_metadata"] == {"duration": 250}
    assert extra["time_costs"] == {"pipeline_total_time": 300}
