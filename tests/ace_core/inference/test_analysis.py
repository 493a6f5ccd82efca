"""What is found out about finished songs: timed lyrics and scores; and the codes of a recording."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from ace_core.errors import InvalidAudioError
from ace_core.inference import AceStepHandler, LLMHandler, understand_music
from ace_core.lm.codes import read_codes
from api_examples.stage import write_recording

from .conftest import ONE, Make
from .watched import changes

SUNG: dict[str, Any] = {"lyrics": "[Verse]\nhello there\ngood night", "vocal_language": "en"}
BOTH = replace(ONE, lyric_timestamps="lrc", score=True)


@changes("score")
def test_each_song_of_a_call_is_timed_and_scored(make: Make, lm: LLMHandler, tmp_path: Path):
    two = replace(BOTH, batch_size=2, seeds=[7, 8])
    result = make(**SUNG, lm=lm, config=two, save_dir=str(tmp_path))
    assert result.success, result.error
    for audio in result.audios:
        timed, score = audio["lyric_timestamps"], audio["score"]
        assert [line["text"] for line in timed["lines"]] == ["[Verse]", "hello there", "good night"]
        assert timed["text"].count("\n") == 1
        path = Path(timed["path"])
        assert path == Path(audio["path"]).with_suffix(".lrc")
        assert path.read_text(encoding="utf-8") == f"{timed['text']}\n"
        assert 0 <= score["total"] <= 1
        assert set(score["lyrics"]) == {"coverage", "order", "confidence"}
        assert {"caption", "lyrics"} <= set(score["codes"])
    first, second = (audio["score"]["codes"] for audio in result.audios)
    assert first != second
    alone = make(**SUNG, lm=lm, config=BOTH)
    assert alone.audios[0]["score"]["total"] == pytest.approx(first_total(result), rel=1e-4)
    assert "lyric_timestamps" not in make(**SUNG).audios[0]


def first_total(result: Any) -> float:
    return result.audios[0]["score"]["total"]


@pytest.mark.parametrize(("form", "sign"), [("karaoke", "<00:"), ("srt", " --> ")])
@changes("lyric_timestamps")
def test_lyrics_are_written_in_the_form_that_was_asked_for(make: Make, form: str, sign: str):
    result = make(**SUNG, config=replace(ONE, lyric_timestamps=form))
    assert sign in result.audios[0]["lyric_timestamps"]["text"]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"lyric_timestamps": "lrc"}, "nothing to time"),
        ({"score": True}, "only a language model can score it"),
        ({"score": True, "lyrics": "[Verse]\n[Chorus]"}, "section tags only"),
        ({"lyric_timestamps": "srt", "lyrics": "[Verse: la la"}, "section tags only"),
        ({"lyric_timestamps": "txt"}, "Choose one of lrc, karaoke, srt"),
    ],
)
def test_what_cannot_be_found_out_is_refused_before_any_work(
    make: Make, changes: dict[str, Any], words: str
):
    seen: list[str] = []
    lyrics = changes.get("lyrics", "")
    config = replace(ONE, **{name: value for name, value in changes.items() if name != "lyrics"})
    result = make(lyrics=lyrics, config=config, progress=lambda _, desc="": seen.append(desc))
    assert words in str(result.error)
    assert seen == []


def test_a_recording_is_described_by_way_of_its_codes(
    turbo: AceStepHandler, lm: LLMHandler, recording: str, tmp_path: Path
):
    codes = turbo.convert_src_audio_to_codes(recording)
    assert len(read_codes(codes)) == 30  # six seconds
    result = understand_music(lm, codes)
    assert result.success, result.error
    short = write_recording(tmp_path / "short.wav", 0.1)
    with pytest.raises(InvalidAudioError, match="one code takes"):
        turbo.convert_src_audio_to_codes(short)
