"""One call to songs: what comes out, what is remembered, what it is called with."""

import json
import logging
from dataclasses import replace
from pathlib import Path

import pytest
import soundfile
import torch

from ace_core.audio import tags
from ace_core.inference import AceStepHandler, GenerationConfig, GenerationParams, LLMHandler
from ace_core.inference import generate_music as generate
from ace_core.lm.codes import read_codes
from tests.rounding import assert_same

from .conftest import ONE, QUICK, Make
from .published import AUDIO, EXTRA, TIMES

CODES = "".join(f"<|audio_code_{code}|>" for code in range(100, 150))  # 10 s


def test_a_song_has_everything_that_is_published(make: Make, tmp_path: Path):
    result = make(save_dir=str(tmp_path / "new" / "folder"))
    assert (result.success, result.error) == (True, None)
    (audio,) = result.audios
    assert list(audio) == AUDIO
    assert Path(audio["path"]).parent == tmp_path / "new" / "folder"
    assert Path(audio["path"]).name == f"{audio['key']}.flac"
    sound = audio["tensor"]
    assert (sound.shape, sound.dtype, sound.device.type) == ((2, 480_000), torch.float32, "cpu")
    assert audio["sample_rate"] == 48_000
    assert audio["params"]["seed"] == 7
    assert audio["params"]["audio_codes"] == ""
    assert audio["params"]["caption"] == "calm piano"
    json.dumps(audio["params"])
    assert set(result.extra_outputs) == set(EXTRA)
    assert result.extra_outputs["latents"].shape == (1, 250, 64)
    assert torch.equal(result.extra_outputs["masks"], torch.ones(1, 250))
    assert result.extra_outputs["lm_metadata"] is None
    costs = result.extra_outputs["time_costs"]
    assert set(TIMES) <= set(costs)
    assert costs["lm_phase1_time"] == costs["lm_phase2_time"] == 0
    assert 0 < costs["dit_total_time_cost"] <= costs["pipeline_total_time"]


def test_without_a_folder_nothing_is_saved(make: Make):
    assert make().audios[0]["path"] == ""


@pytest.mark.parametrize(
    ("audio_format", "suffix", "subtype"),
    [
        ("flac", "flac", "PCM_24"),
        ("wav", "wav", "PCM_24"),
        ("mp3", "mp3", "MPEG_LAYER_III"),
        ("wav32", "wav", "FLOAT"),
        ("opus", "opus", "OPUS"),
        ("aac", "m4a", None),  # libsndfile reads none
    ],
)
def test_every_published_format_is_written(
    make: Make, tmp_path: Path, audio_format: str, suffix: str, subtype: str | None
):
    result = make(config=replace(ONE, audio_format=audio_format), save_dir=str(tmp_path))
    path = Path(result.audios[0]["path"])
    assert path.suffix == f".{suffix}"
    assert subtype is None or soundfile.info(str(path)).subtype == subtype
    assert [file.name for file in tmp_path.iterdir()] == [path.name]  # nothing half written
    read = tags.read(path)
    assert json.loads(read["ace_step_params"])["seed"] == 7
    assert read["description"] == "calm piano"


def test_a_folder_that_cannot_be_made_is_refused_before_any_work(make: Make, tmp_path: Path):
    (tmp_path / "file").write_text("")
    told: list[float] = []
    result = make(save_dir=str(tmp_path / "file"), progress=lambda share, desc: told.append(share))
    assert not result.success
    assert result.error is not None
    assert "save_dir" in result.error
    assert told == []


def test_a_song_that_cannot_be_saved_is_not_lost(make: Make, tmp_path: Path):
    def take_the_folder_away(share: float, desc: str) -> None:
        if desc == "Decoding the audio" and folder.exists():
            folder.rmdir()

    folder = tmp_path / "gone"
    result = make(save_dir=str(folder), progress=take_the_folder_away)
    assert not result.success
    assert result.error is not None
    assert "cannot be written" in result.error
    assert result.audios[0]["tensor"].shape == (2, 480_000)
    assert result.audios[0]["path"] == ""


def test_the_same_request_gives_the_same_key_and_song_and_another_seed_others(make: Make):
    first, again = make(), make()
    other = make(config=replace(ONE, seeds=[8]))
    assert first.audios[0]["key"] == again.audios[0]["key"]
    assert torch.equal(first.extra_outputs["latents"], again.extra_outputs["latents"])
    assert first.audios[0]["key"] != other.audios[0]["key"]
    assert not torch.equal(first.extra_outputs["latents"], other.extra_outputs["latents"])


def test_an_item_of_a_batch_is_the_song_of_its_seed(make: Make):
    both = make(config=replace(ONE, batch_size=2, seeds=[7, 8]))
    assert [audio["params"]["seed"] for audio in both.audios] == [7, 8]
    alone = make(config=replace(ONE, seeds=[8]))
    latents = both.extra_outputs["latents"]
    assert_same(latents[1:], alone.extra_outputs["latents"])


def test_instrumental_and_no_lyrics_are_one_song(make: Make):
    sung, silent = make(lyrics="la la la"), make(lyrics="la la la", instrumental=True)
    assert torch.equal(silent.extra_outputs["latents"], make().extra_outputs["latents"])
    assert not torch.equal(sung.extra_outputs["latents"], silent.extra_outputs["latents"])


def test_progress_rises_to_one_and_may_end_the_run(make: Make):
    told: list[tuple[float, str]] = []
    make(progress=lambda share, desc: told.append((share, desc)))
    shares = [share for share, _ in told]
    assert shares == sorted(shares)
    assert shares[-1] == 1.0
    assert {"Making music", "Decoding the audio"} <= {desc for _, desc in told}

    def stop(share: float, desc: str) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make(progress=stop)


def test_a_handler_without_models_is_refused_with_what_to_do():
    result = generate(AceStepHandler(), None, QUICK, ONE)
    assert not result.success
    assert "initialize_service" in str(result.error)


def test_without_a_language_model_thinking_is_left_out_and_said(make: Make):
    result = make(thinking=True)
    assert result.success
    assert "there is no language model" in result.status_message
    assert result.extra_outputs["lm_metadata"] is None
    unloaded = make(thinking=True, lm=LLMHandler())
    assert "LLMHandler.initialize" in unloaded.status_message


def test_with_thinking_off_the_language_model_is_not_asked(make: Make, lm: LLMHandler):
    assert make(lm=lm).extra_outputs["lm_metadata"] is None


def test_an_open_length_that_nobody_chooses_is_refused(make: Make):
    for change in ({"thinking": False}, {"thinking": True}):
        result = make(duration=-1, **change)
        assert not result.success
        assert "`duration`" in str(result.error)


def test_neither_caption_nor_lyrics_is_refused(make: Make):
    assert "caption" in str(make(caption="").error)
    assert make(caption="", lyrics="la la").success


def test_the_language_model_fills_what_is_open_and_keeps_what_is_given(
    turbo: AceStepHandler, lm: LLMHandler
):
    params = replace(QUICK, thinking=True, keyscale="Am", vocal_language="ja")
    result = generate(turbo, lm, params, ONE)
    found = result.extra_outputs["lm_metadata"]
    assert result.success, result.error
    assert (found["keyscale"], found["language"], found["duration"]) == ("A minor", "ja", 10)
    assert 30 <= found["bpm"] <= 300
    assert found["timesignature"] in ("2", "3", "4", "6")
    assert (params.cot_bpm, params.cot_timesignature) == (found["bpm"], found["timesignature"])
    assert params.cot_caption == found["caption"]
    assert (params.cot_keyscale, params.cot_duration) == ("", None)  # given, so not found
    assert params.cot_vocal_language == "unknown"
    own = result.audios[0]["params"]
    assert own["cot_bpm"] == found["bpm"]
    assert len(read_codes(own["audio_codes"])) == 50
    costs = result.extra_outputs["time_costs"]
    assert costs["lm_phase1_time"] > 0
    assert costs["lm_phase2_time"] > 0


def test_each_switch_of_thinking_is_independent(make: Make, lm: LLMHandler):
    off = {"use_cot_metas": False, "use_cot_caption": False, "use_cot_language": False}
    thinking = {"lm": lm, "thinking": True, "audio_codes": CODES}
    nothing = make(**thinking, **off).extra_outputs["lm_metadata"]
    assert nothing == {"duration": 10}
    caption = make(**thinking, **(off | {"use_cot_caption": True})).extra_outputs["lm_metadata"]
    assert set(caption) == {"duration", "caption"}
    language = make(**thinking, **(off | {"use_cot_language": True})).extra_outputs["lm_metadata"]
    assert set(language) == {"duration", "language"}
    metas = make(**thinking, **(off | {"use_cot_metas": True})).extra_outputs["lm_metadata"]
    assert set(metas) >= {"duration", "bpm", "keyscale", "timesignature"}
    assert not {"caption", "language"} & set(metas)


def test_the_language_model_writes_the_same_codes_in_any_batch(make: Make, lm: LLMHandler):
    two = replace(ONE, batch_size=2, seeds=[7, 8])
    thinking = {"lm": lm, "thinking": True, "use_cot_caption": False, "lm_cfg_scale": 1.0}
    one_by_one = make(config=two, **thinking)
    together = make(config=replace(two, allow_lm_batch=True, lm_batch_chunk_size=2), **thinking)
    codes = [audio["params"]["audio_codes"] for audio in one_by_one.audios]
    assert codes == [audio["params"]["audio_codes"] for audio in together.audios]
    assert codes[0] != codes[1]
    latents = one_by_one.extra_outputs["latents"]
    again = make(config=replace(ONE, seeds=[8]), audio_codes=codes[1], **_facts(together))
    assert_same(latents[1:], again.extra_outputs["latents"])


def _facts(result) -> dict:
    found = result.extra_outputs["lm_metadata"]
    return {
        "bpm": found["bpm"],
        "keyscale": found["keyscale"],
        "timesignature": found["timesignature"],
        "vocal_language": found["language"],
    }


def test_songs_of_different_lengths_are_refused_before_they_are_written(make: Make, lm: LLMHandler):
    config = replace(ONE, batch_size=2)
    result = make(lm=lm, config=config, thinking=True, use_cot_metas=False, duration=-1)
    assert "`use_cot_metas`" in str(result.error)


def test_given_codes_are_followed_and_decide_the_length(make: Make):
    result = make(audio_codes=CODES, duration=-1)
    assert result.extra_outputs["latents"].shape == (1, 250, 64)
    assert result.audios[0]["params"]["audio_codes"] == CODES
    plain = make()
    assert not torch.equal(result.extra_outputs["latents"], plain.extra_outputs["latents"])
    weaker = make(audio_codes=CODES, inference_steps=2, audio_cover_strength=0.5)
    firm = make(audio_codes=CODES, inference_steps=2)
    assert not torch.equal(weaker.extra_outputs["latents"], firm.extra_outputs["latents"])


def test_codes_that_are_none_are_refused(make: Make):
    assert "no audio code" in str(make(audio_codes="drums").error)


def test_reserved_switches_say_that_they_do_nothing(make: Make):
    assert "use_cot_lyrics" in make(use_cot_lyrics=True).status_message


def test_debug_writes_each_token_with_its_field_into_the_log(
    make: Make, lm: LLMHandler, caplog: pytest.LogCaptureFixture
):
    config = replace(ONE, constrained_decoding_debug=True)
    with caplog.at_level(logging.INFO, "ace_core.lm.decoding"):
        make(lm=lm, config=config, thinking=True, audio_codes=CODES, use_cot_caption=False)
    assert any("bpm" in line for line in caplog.messages)


def test_parameters_start_with_nothing_found():
    assert GenerationParams().to_dict()["cot_caption"] == ""
    assert GenerationConfig().to_dict()["batch_size"] == 2


def test_what_the_model_does_not_read_of_a_long_text_is_in_the_status(make: Make):
    status = make(caption="calm piano " * 40, lyrics="la la " * 600).status_message
    assert "of the caption" in status
    assert "of the lyrics" in status
    assert "does not see" not in make().status_message
