"""Lyric times, scores and the best of a batch, run on the miniature by whichever host there is."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.nodes.test_text_to_music import done, number, replaced, until_sampled
from tools.hosts.host import Outcome, Prompt
from tools.hosts.pack import Pack
from tools.workflows.prompts import read_prompt, with_input, with_miniature

SECONDS = 10.0


def small(name: str) -> Prompt:
    prompt = with_input(with_miniature(read_prompt(name)), "seconds", SECONDS)
    return with_input(prompt, "dtype", "fp32")


@pytest.fixture(scope="module")
def karaoke(models: Path) -> Prompt:
    return small("karaoke")


@pytest.fixture(scope="module")
def sung(pack: Pack, karaoke: Prompt) -> Outcome:
    return done(pack, karaoke)


@pytest.fixture(scope="module")
def best(models: Path) -> Prompt:
    return replaced(small("best_of_four"), "TextToMusic", batch_size=3)


@pytest.fixture(scope="module")
def judged(pack: Pack, best: Prompt) -> Outcome:
    return done(pack, best)


def words_of(prompt: Prompt) -> list[str]:
    lyrics = str(prompt[number(prompt, "Song")]["inputs"]["lyrics"])
    return [line for line in lyrics.splitlines() if line and not line.startswith("[")]


def why(pack: Pack, prompt: Prompt) -> str:
    outcome = pack.host.run(prompt, extra_pnginfo={"workflow": {"nodes": []}})
    assert not outcome.complete
    return outcome.why()


def test_every_line_that_is_sung_gets_its_time_in_order(sung: Outcome, karaoke: Prompt) -> None:
    lrc = sung.values[number(karaoke, "LyricTimes")][1]
    found = re.findall(r"\[(\d\d):(\d\d\.\d\d)\](.*)", lrc)
    assert [text for _, _, text in found] == words_of(karaoke)
    times = [60 * int(minutes) + float(seconds) for minutes, seconds, _ in found]
    assert times == sorted(times)
    assert times[-1] <= SECONDS


def test_an_lrc_of_the_sounds_own_name_lies_beside_it(
    sung: Outcome, karaoke: Prompt, base_directory: Path
) -> None:
    (shown,) = sung.ui[number(karaoke, "SaveAudio")]["audio"]
    sound = base_directory / shown["type"] / shown["subfolder"] / shown["filename"]
    assert sound.is_file()
    text = sound.with_suffix(".lrc").read_text(encoding="utf-8")
    assert text == sung.values[number(karaoke, "LyricTimes")][1] + "\n"


def test_the_page_is_told_what_is_sung_when_below_the_take(sung: Outcome, karaoke: Prompt) -> None:
    (wave,) = sung.ui[number(karaoke, "SaveAudio")]["ace_step_waveforms"]
    lines = json.loads(wave)["lines"]
    assert [line["text"] for line in lines if line["sung"]] == words_of(karaoke)
    assert [line["text"] for line in lines if not line["sung"]] == ["[Verse]", "[Chorus]"]
    assert all(0 <= line["start"] <= line["end"] <= SECONDS for line in lines)


def test_a_take_without_timestamps_has_no_lines(pack: Pack, karaoke: Prompt) -> None:
    own = number(karaoke, "SaveAudio")
    inputs = {k: v for k, v in karaoke[own]["inputs"].items() if k != "timestamps"}
    outcome = done(pack, {**karaoke, own: {**karaoke[own], "inputs": inputs}})
    (wave,) = outcome.ui[own]["ace_step_waveforms"]
    assert json.loads(wave)["lines"] == []


def test_the_saved_karaoke_has_every_word(sung: Outcome, karaoke: Prompt) -> None:
    (text,) = sung.values[number(karaoke, "SaveLyrics")]
    bare = re.sub(r"[\[<]\d+:\d\d\.\d\d[\]>]", "", text)
    assert bare.split() == " ".join(words_of(karaoke)).split()
    assert text.count("<") == len(bare.split()) + len(words_of(karaoke))


def test_section_tags_are_kept_when_they_are_asked_for(pack: Pack, karaoke: Prompt) -> None:
    text = done(pack, replaced(karaoke, "LyricsText", sections=True, format="srt"))
    lines = text.values[number(karaoke, "LyricsText")][0].splitlines()
    assert [line for line in lines if line.startswith("[")] == ["[Verse]", "[Chorus]"]


def test_an_item_that_is_not_there_is_refused(pack: Pack, karaoke: Prompt) -> None:
    assert "the batch has 1" in why(pack, replaced(karaoke, "LyricsText", item=2))


def test_lyrics_of_another_song_are_refused(pack: Pack, karaoke: Prompt) -> None:
    song = karaoke[number(karaoke, "Song")]
    other = {**song, "inputs": {**song["inputs"], "lyrics": "something else altogether"}}
    prompt = {**karaoke, "other": other}
    reason = why(pack, replaced(prompt, "LyricTimes", song=["other", 0]))
    assert "Connect the song that the task node was given" in reason


def test_a_song_that_nobody_sings_has_no_lyric_times(pack: Pack, karaoke: Prompt) -> None:
    assert "no lyrics" in why(pack, with_input(karaoke, "lyrics", ""))


def test_heads_that_are_none_are_refused_before_anything_is_heard(
    pack: Pack, karaoke: Prompt
) -> None:
    assert "names no heads" in why(pack, replaced(karaoke, "LyricTimes", heads="all"))


def test_an_item_of_a_batch_has_the_times_that_it_has_alone(pack: Pack, karaoke: Prompt) -> None:
    batch = replaced(replaced(karaoke, "TextToMusic", batch_size=2), "Sampler", seeds="5, 0")
    both = done(pack, batch).values[number(karaoke, "LyricTimes")][0]
    alone = done(pack, karaoke).values[number(karaoke, "LyricTimes")][0]
    assert len(both) == 2
    assert both[1] == alone[0]


def test_the_best_of_the_batch_is_kept_with_its_seed(judged: Outcome, best: Prompt) -> None:
    scores, report = judged.values[number(best, "Score")]
    latent, audio, ranking, ranked = judged.values[number(best, "KeepBest")]
    made = judged.values[number(best, "Sampler")][0]
    winner = max(range(3), key=lambda item: scores[item].total)
    assert (latent["samples"] == made["samples"][winner : winner + 1]).all()
    assert latent["ace_step"]["seeds"] == (made["ace_step"]["seeds"][winner],)
    assert audio is ranked is None
    assert ranking == report
    totals = [float(total) for total in re.findall(r": (\d\.\d{4});", ranking)]
    assert totals == sorted(totals, reverse=True)
    assert ranking.startswith(f"1. item {winner + 1}, seed {made['ace_step']['seeds'][winner]}:")


def test_a_score_has_both_parts_and_is_their_mean(judged: Outcome, best: Prompt) -> None:
    for score in judged.values[number(best, "Score")][0]:
        assert set(score.codes.parts) == {"caption", "lyrics", "duration", "language"}
        assert score.total == pytest.approx((score.singing.total + score.codes.total) / 2)


def test_without_a_language_model_the_singing_alone_is_judged(pack: Pack, best: Prompt) -> None:
    node = best[number(best, "Score")]
    inputs = {name: value for name, value in node["inputs"].items() if name != "lm"}
    prompt = {**best, number(best, "Score"): {**node, "inputs": inputs}}
    scores = done(pack, prompt).values[number(best, "Score")][0]
    assert [score.codes for score in scores] == [None] * 3
    assert "Connect `lm`" in why(pack, with_input(prompt, "lyrics", "[Instrumental]"))


def test_an_instrumental_is_scored_by_its_codes(pack: Pack, best: Prompt) -> None:
    quiet = replaced(with_input(best, "lyrics", "[Instrumental]"), "TextToMusic", batch_size=1)
    (score,) = done(pack, quiet).values[number(best, "Score")][0]
    assert score.singing is None
    assert score.total == score.codes.total


def test_sounds_are_chosen_as_latents_are(pack: Pack, best: Prompt) -> None:
    own = number(best, "KeepBest")
    sound = {"class_type": "AceStep15DecodeAudio", "inputs": _decode_inputs(best)}
    keep = {**best[own], "inputs": {**best[own]["inputs"], "audio": ["sound", 0], "keep": 2}}
    outcome = done(pack, {**best, own: keep, "sound": sound})
    scores = outcome.values[number(best, "Score")][0]
    order = sorted(range(3), key=lambda item: -scores[item].total)[:2]
    latent, audio, _, ranked = outcome.values[own]
    assert len(latent["samples"]) == 2
    assert (audio["waveform"] == outcome.values["sound"][0]["waveform"][order]).all()
    assert (ranked["waveform"][:2] == audio["waveform"]).all()


def _decode_inputs(prompt: Prompt) -> dict[str, Any]:
    given = prompt[number(prompt, "DecodeAudio")]["inputs"]
    return {**given, "latent": [number(prompt, "Sampler"), 0]}


def test_more_than_there_are_cannot_be_kept(pack: Pack, best: Prompt) -> None:
    assert "4 are to be kept of 3" in why(pack, replaced(best, "KeepBest", keep=4))


def test_a_batch_that_was_not_scored_is_refused(pack: Pack, best: Prompt) -> None:
    own = number(best, "KeepBest")
    empty = {**until_sampled(best), own: best[own], "show": _shown(own)}
    score = number(best, "Score")
    lm = number(best, "LoadLM")
    prompt = {**empty, score: best[score], lm: best[lm], "two": _canvas(best)}
    keep = {**best[own], "inputs": {**best[own]["inputs"], "latent": ["two", 2]}}
    assert "differ (scores: 3, latent: 2)" in why(pack, {**prompt, own: keep})


def _shown(node: str) -> dict[str, Any]:
    return {"class_type": "PreviewAny", "inputs": {"source": [node, 2]}}


def _canvas(prompt: Prompt) -> dict[str, Any]:
    task = prompt[number(prompt, "TextToMusic")]
    return {**task, "inputs": {**task["inputs"], "batch_size": 2}}
