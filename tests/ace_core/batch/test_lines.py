"""A prompts file: every fault of every line is told at once, and nothing is guessed."""

import json
from pathlib import Path

import pytest

from ace_core.batch.lines import Line, read_lines, unknown_fields
from ace_core.errors import PromptsError

KNOWN = ("caption", "seed")


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
    '{"id": "SAME"}': "is that of line 1, too",
    '{"seed": NaN}': "NaN is not a number that JSON has",
    '{"seed": 1, "seed": 2}': "seed is given twice",
}


@pytest.mark.parametrize("line", FAULTY)
def test_a_faulty_line_is_told_with_its_number(tmp_path: Path, line: str):
    with pytest.raises(PromptsError) as refused:
        read(tmp_path, f'{{"id": "same"}}\n{line}\n')
    (told,) = str(refused.value).splitlines()[1:]
    assert told.startswith("  line 2: ") and FAULTY[line] in told


def test_all_faulty_lines_are_told_at_once(tmp_path: Path):
    with pytest.raises(PromptsError) as refused:
        read(tmp_path, "\n".join(['{"id": "same"}', *FAULTY]))
    told = [line.split(":")[0] for line in str(refused.value).splitlines()[1:]]
    assert told == [f"  line {number}" for number in range(2, 2 + len(FAULTY))]


@pytest.mark.parametrize(("content", "told"), [(b"\n \n", "no song"), (b"\xff", "UTF-8")])
def test_a_file_without_a_song_is_refused(tmp_path: Path, content: bytes, told: str):
    with pytest.raises(PromptsError, match=told):
        read(tmp_path, content)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path):
    with pytest.raises(PromptsError, match="cannot be read"):
        read_lines(tmp_path / "none.jsonl", lambda _: [])


def test_a_line_keeps_its_fields_as_written(tmp_path: Path):
    written = {"caption": "a", "seed": -1}
    (line,) = read(tmp_path, json.dumps(written))
    assert line.request == written
