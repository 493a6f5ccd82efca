"""A prompts file: its lines, their faults, and the requests and seeds that they mean."""

import json
from pathlib import Path
from typing import Any

import pytest

from ace_core.batch.prompts import (
    NAMES,
    Line,
    Rules,
    read_lines,
    request_of,
    seeds_of,
    unknown_fields,
)
from ace_core.errors import PromptsError
from ace_core.inference import GenerationConfig, GenerationParams
from ace_core.types import Variant

KNOWN = ("caption", "seed")
REPAINT = {"task_type": "repaint", "src_audio": __file__}


def read(tmp_path: Path, text: str | bytes) -> tuple[Line, ...]:
    path = tmp_path / "prompts.jsonl"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return read_lines(path, lambda request: unknown_fields(request, KNOWN))


def test_a_line_is_called_by_its_id_or_by_its_number(tmp_path: Path):
    found = read(tmp_path, '{"caption": "a"}\n\n{"id": "b-2", "caption": "é"}\r\n{"caption": "c"}')
    assert found == (
        Line("0001", 1, {"caption": "a"}),
        Line("b-2", 3, {"caption": "é"}),
        Line("0004", 4, {"caption": "c"}),
    )


def test_a_byte_order_mark_is_no_part_of_the_first_line(tmp_path: Path):
    assert read(tmp_path, b'\xef\xbb\xbf{"caption": "a"}')[0].request == {"caption": "a"}


FAULTY = {
    "{": "not JSON",
    '["a"]': "a list, not an object",
    '{"captoin": "a"}': "'captoin' is no field; is it 'caption'?",
    '{"zzz": 1}': "'zzz' is no field",
    '{"id": "../a"}': "cannot be a file's name",
    '{"id": "a.1"}': "cannot be a file's name",
    '{"id": 7}': "cannot be a file's name",
    '{"id": "con"}': "the id 'con' is the name of a device",
    '{"id": "SAME"}': "is that of line 1, too",
    '{"seed": NaN}': "NaN is not a number that JSON has",
    '{"seed": 1, "seed": 2}': "seed is given twice",
}


@pytest.mark.parametrize("line", FAULTY)
def test_a_faulty_line_is_reported_with_its_number(tmp_path: Path, line: str):
    with pytest.raises(PromptsError) as refused:
        read(tmp_path, f'{{"id": "same"}}\n{line}\n')
    (fault,) = str(refused.value).splitlines()[1:]
    assert fault.startswith("  line 2: ") and FAULTY[line] in fault


def test_all_faulty_lines_are_reported_at_once(tmp_path: Path):
    with pytest.raises(PromptsError) as refused:
        read(tmp_path, "\n".join(['{"id": "same"}', *FAULTY]))
    faults = [line.split(":")[0] for line in str(refused.value).splitlines()[1:]]
    assert faults == [f"  line {number}" for number in range(2, 2 + len(FAULTY))]


@pytest.mark.parametrize(("content", "message"), [(b"\n \n", "no song"), (b"\xff", "UTF-8")])
def test_a_file_without_a_song_is_refused(tmp_path: Path, content: bytes, message: str):
    with pytest.raises(PromptsError, match=message):
        read(tmp_path, content)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(PromptsError, match="cannot be read"):
        read_lines(tmp_path / "none.jsonl", lambda _: [])


def test_a_line_keeps_its_fields_as_written(tmp_path: Path):
    written = {"caption": "a", "seed": -1}
    (line,) = read(tmp_path, json.dumps(written))
    assert line.request == written


def faults(base: Path = Path(), variant: Variant = Variant.TURBO, **fields: Any) -> list[str]:
    return Rules(variant, base).faults(fields)


def seeds(salt: str = "salt", name: str = "a", **request: Any) -> tuple[int, ...]:
    return seeds_of(Line(name, 1, request), salt)


def test_a_line_means_one_song_with_the_published_defaults():
    assert request_of({"caption": "x", "bpm": None, "audio_format": "mp3"}, Path()) == (
        GenerationParams(caption="x"),
        GenerationConfig(batch_size=1, audio_format="mp3", use_random_seed=False),
    )


def test_a_line_leaves_dcw_to_the_model_or_switches_it():
    for line, enabled in (
        ({}, None),
        ({"dcw_enabled": False}, False),
        ({"dcw_enabled": True}, True),
    ):
        assert request_of({"caption": "x", **line}, Path())[0].dcw_enabled is enabled
    assert faults(caption="x", dcw_enabled=False, dcw_mode="pix") == []
    (fault,) = faults(caption="x", dcw_mode="both")
    assert "`dcw_mode` is 'both'" in fault


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"captoin": "x"}, "'captoin' is no field; is it 'caption'?"),
        ({"use_random_seed": True}, "'use_random_seed' is no field"),
        ({"bpm": "fast"}, "bpm is 'fast'"),
        ({"batch_size": 1.5}, "batch_size is 1.5"),
        ({"bpm": 301}, "`bpm` is 301, but must be 30 to 300"),
        ({"keyscale": "H"}, "'H' is not a key"),
        ({"inference_steps": 21}, "`inference_steps` is 21, but must be 1 to 20"),
        ({"seeds": [1, 2]}, "2 seeds were given for 1 items"),
        ({"seed": 2**64}, "is not a seed"),
        ({"task_type": "cover", "caption": "x", "src_audio": "none.wav"}, "there is no file"),
        ({"task_type": "extract", "src_audio": "none.wav"}, "names no track"),
        ({"timesteps": [1.0]}, "times"),
        ({"caption": " "}, "`caption` and `lyrics` are both empty"),
        ({"task_type": "repaint"}, "starts from a recording. Set `src_audio`"),
        ({"flow_edit_morph": True}, "`flow_edit_morph` starts from a recording"),
        ({**REPAINT, "repainting_start": 3, "repainting_end": 2}, "not after its start"),
        ({"audio_codes": "abc"}, "is no audio code"),
        ({"lyric_timestamps": "lrc"}, "Nobody sings in this song"),
        ({"lyrics": "[Verse]\n[Chorus", "score": True}, "section tags only"),
        ({"thinking": False}, "has no length, and nobody chooses one. `thinking` is off."),
    ],
)
def test_what_cannot_be_carried_out_is_reported(fields: dict[str, Any], message: str):
    (fault,) = faults(**{"caption": "x", **fields})
    assert message in fault


def test_without_a_language_model_nobody_chooses_a_length_or_judges_music_alone(tmp_path: Path):
    bare = Rules(Variant.TURBO, tmp_path, has_lm=False)
    (fault,) = bare.faults({"caption": "x"})
    assert "nobody chooses one. `thinking` is on, but there is no language model" in fault
    (fault,) = bare.faults({"caption": "x", "duration": 10, "score": True})
    assert "only a language model can score it" in fault
    for fields in ({}, {"duration": 10, "score": True}):
        assert Rules(Variant.TURBO, tmp_path).faults({"caption": "x", **fields}) == []


def test_a_request_is_checked_against_the_models_variant():
    assert faults(caption="x", inference_steps=64)
    assert not faults(variant=Variant.BASE, caption="x", inference_steps=64)


def test_recordings_are_looked_for_beside_the_prompts(tmp_path: Path):
    (tmp_path / "a.wav").touch()
    fields = {"task_type": "cover", "caption": "x", "src_audio": "a.wav"}
    assert not faults(tmp_path, **fields)
    assert faults(tmp_path / "elsewhere", **fields)
    assert request_of(fields, tmp_path).params.src_audio == str(tmp_path / "a.wav")


def test_the_fields_of_a_line_are_those_of_a_song_and_of_its_run():
    assert {"caption", "seed", "seeds", "batch_size", "audio_format"} <= set(NAMES)


@pytest.mark.parametrize(
    ("request_", "stated"),
    [
        ({"seed": 7}, (7,)),
        ({"seeds": 7}, (7,)),
        ({"seeds": [7, 0], "batch_size": 2}, (7, 0)),
        ({"seed": 1, "seeds": [7, 8], "batch_size": 2}, (7, 8)),
    ],
)
def test_stated_seeds_are_used(request_: dict[str, Any], stated: tuple[int, ...]):
    assert seeds(**request_) == stated


@pytest.mark.parametrize("request_", [{}, {"seed": 5}, {"seed": -1}, {"seeds": [5, -1]}])
def test_seeds_left_to_chance_are_drawn_once(request_: dict[str, Any]):
    drawn = seeds(batch_size=3, **request_)
    assert len(set(drawn)) == 3
    assert all(0 <= seed < 2**32 for seed in drawn)
    assert seeds(batch_size=3, **request_) == drawn
    assert (drawn[0] == 5) == (5 in request_.values() or [5, -1] in request_.values())


def test_other_lines_and_other_batches_have_other_seeds():
    assert len({seeds(), seeds(name="b"), seeds(salt="other")}) == 3


def test_a_line_with_wildcards_is_checked_as_it_is_drawn(tmp_path: Path):
    faults = Rules(Variant.TURBO, tmp_path).faults
    assert faults({"caption": "{" + "a" * 400 + "|" + "b" * 400 + "}", "duration": 10}) == []
    (fault,) = faults({"caption": "{" + "a" * 513 + "|" + "b" * 513 + "}", "duration": 10})
    assert "513" in fault
    (fault,) = faults({"caption": "{a|" * 33 + "}" * 33, "duration": 10})
    assert "at most 32" in fault


@pytest.mark.parametrize("text", ["calm \\ud83c", "a\\u0000b"])
def test_a_text_that_no_model_can_read_is_a_fault_of_its_line_alone(tmp_path: Path, text: str):
    bad, good = read(tmp_path, f'{{"caption": "{text}"}}\n{{"caption": "a"}}')
    assert bad.fault is not None and "`caption` has" in bad.fault
    assert (good.fault, seeds_of(bad, "salt")) == (None, ())


@pytest.mark.parametrize("text", [r"a\u0000", r"\ud83c"])
def test_an_unusable_text_in_a_list_is_the_fault_of_its_song_alone(tmp_path: Path, text: str):
    (line,) = read(tmp_path, f'{{"captions": ["calm", "{text}"]}}')
    assert "`captions` has" in str(line.fault)


def test_the_home_of_nobody_is_a_name_like_any_other():
    request = request_of({"caption": "a", "lora": ["~nosuch/x.safetensors"]}, Path("/nowhere"))
    assert request.params.lora == ["~nosuch/x.safetensors:1.0"]
