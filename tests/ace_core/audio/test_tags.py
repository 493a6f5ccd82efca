"""Tags as ComfyUI's page and other readers find them, beside audio that does not change."""

import io
import json
import re
import struct
from pathlib import Path

import av
import numpy as np
import pytest
import soundfile
import torch

from ace_core.audio import tags
from ace_core.audio.files import Encoding, FileFormat, save
from ace_core.audio.tag_names import LANGUAGES, short_key, short_title, song_fields
from ace_core.constants import KEYS
from ace_core.constants import LANGUAGES as SUNG
from ace_core.errors import InvalidAudioError, SaveError
from ace_core.types import Song

GRAPH = json.dumps({"nodes": [{"text": "été 音 🎵 }"}]}, ensure_ascii=False)
TAGS = {
    "workflow": GRAPH,
    "prompt": json.dumps({"3": {"inputs": {"seed": 7}}}),
    "title": "Süßes Lied",
    "bpm": "120",
    "key": "F#m",
    "language": "deu",
    "description": "calm, ruhig",
    "lyrics": "[Verse]\nline = one\nzwei",
}
CONTAINERS = {"FLAC": "PCM_16", "WAV": "PCM_16", "MP3": "MPEG_LAYER_III"}


def encoded(container: str, subtype: str) -> io.BytesIO:
    file = io.BytesIO()
    sound = np.sin(np.arange(9601) * 0.05)[:, None].repeat(2, 1) * 0.5
    soundfile.write(file, sound, 48_000, subtype, format=container)
    return file


def tagged(container: str, fields: dict[str, str]) -> tuple[bytes, bytes]:
    """A file before and after."""
    source, target = encoded(container, CONTAINERS[container]), io.BytesIO()
    tags.write(source, target, fields)
    return source.getvalue(), target.getvalue()


@pytest.mark.parametrize("container", CONTAINERS)
def test_tags_come_back_as_they_were_written(container: str, tmp_path: Path):
    path = tmp_path / "song"
    path.write_bytes(tagged(container, TAGS)[1])
    found = tags.read(path)
    assert json.loads(found["workflow"]) == json.loads(GRAPH)
    assert {**found, "workflow": GRAPH} == TAGS


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_sound_is_the_same_to_the_last_bit(container: str):
    before, after = tagged(container, TAGS)
    decoded, rate = soundfile.read(io.BytesIO(after), dtype="float32")
    assert rate == 48_000
    assert np.array_equal(decoded, soundfile.read(io.BytesIO(before), dtype="float32")[0])


@pytest.mark.parametrize("container", CONTAINERS)
def test_writing_tags_again_replaces_the_old_ones(container: str, tmp_path: Path):
    first, again = io.BytesIO(tagged(container, TAGS)[1]), io.BytesIO()
    tags.write(first, again, {"title": "Another"})
    path = tmp_path / "song"
    path.write_bytes(again.getvalue())
    assert tags.read(path) == {"title": "Another"}
    assert again.getvalue() == tagged(container, {"title": "Another"})[1]


def test_comfyui_s_page_finds_the_graphs_in_mp3():
    """It reads the file as one byte a character and looks for name, zero, JSON, zero."""
    text = tagged("MP3", TAGS)[1].decode("latin-1")
    text = text[: text.index("\xff\xfb")]  # it stops at the first frame of audio
    for name in tags.GRAPHS:
        [found] = re.findall(name + "\0({.*?})\0", text, re.DOTALL)
        assert json.loads(found) == json.loads(TAGS[name])


def test_comfyui_s_page_finds_the_graphs_in_flac():
    """It reads the comment block as one byte a character."""
    data = tagged("FLAC", TAGS)[1]
    place, last, comments = 4, False, {}
    while not last:
        (head,) = struct.unpack_from(">I", data, place)
        last, kind, size = bool(head >> 31), head >> 24 & 0x7F, head & 0xFFFFFF
        if kind == 4:
            text = data[place + 4 : place + 4 + size].decode("latin-1")
            comments = {name: text.partition(f"{name}=")[2] for name in tags.GRAPHS}
        place += 4 + size
    for name in tags.GRAPHS:
        assert json.JSONDecoder().raw_decode(comments[name])[0] == json.loads(TAGS[name])


def test_comfyui_s_page_finds_the_graphs_in_opus(tmp_path: Path):
    """It reads the file as one byte a character, up to the second page of the comments."""
    path = tmp_path / "song.opus"
    many = {**TAGS, "lyrics": "la " * 1300, "ace_step_song": "x" * 200_000}
    save(path, torch.zeros(2, 9_600), FileFormat(Encoding.OPUS), many)
    text, chunk, pages = "", "", 0
    data = path.read_bytes().decode("latin-1")
    while len(text) < len(data) and pages < 2:
        chunk = data[len(text) : 2 * len(text) + 4096]
        pages += "OggS\0" in chunk
        text += chunk
    for name in tags.GRAPHS:
        found = re.search(name + r"=(\{.*?(\}.*?\0))", text, re.DOTALL)
        assert found
        graph = re.search(r"\{.*\}", found[1])
        assert graph
        assert json.loads(graph[0]) == json.loads(TAGS[name])


NAMES = ("TITLE", "BPM", "INITIALKEY", "LANGUAGE", "LYRICS", "DESCRIPTION")
VALUES = [TAGS[field] for field in ("title", "bpm", "key", "language", "lyrics", "description")]


def test_flac_has_the_names_that_players_read():
    data = tagged("FLAC", TAGS)[1].decode("latin-1")
    for name, value in zip(NAMES, VALUES, strict=True):
        assert f"\0{name}={value}".encode().decode("latin-1") in data


def test_opus_has_the_names_that_players_read(tmp_path: Path):
    path = tmp_path / "song.opus"
    save(path, torch.zeros(2, 9_600), FileFormat(Encoding.OPUS), TAGS)
    data = path.read_bytes()
    for name, value in zip(NAMES, VALUES, strict=True):
        assert f"\0{name}={value}".encode() in data
    assert tags.read(path) == {**TAGS, "workflow": json.dumps(json.loads(GRAPH))}


@pytest.mark.parametrize("container", ["MP3", "WAV"])
def test_another_reader_of_id3_finds_title_tempo_key_and_language(container: str):
    """FFmpeg, by the names of the frames; those of text in a language by its own names."""
    with av.open(io.BytesIO(tagged(container, TAGS)[1])) as file:
        found = {name.casefold(): text for name, text in file.metadata.items()}
    expected = {"title": "title", "tbpm": "bpm", "tkey": "key", "language": "language"}
    assert {name: found[name] for name in expected} == {
        name: TAGS[field] for name, field in expected.items()
    }
    assert TAGS["lyrics"] in [text for name, text in found.items() if name.startswith("lyrics")]
    assert found["comment"] == TAGS["description"]


def test_keys_are_written_as_id3_has_them():
    written = {short_key(key) for key in KEYS}
    assert len(written) == len({key.replace("♯", "#").replace("♭", "b") for key in KEYS})
    assert {"C", "Am", "F#m", "Bb"} <= written
    assert max(map(len, written)) == 3


def test_every_language_of_the_models_has_a_code_of_three_letters():
    assert set(LANGUAGES) == set(SUNG) - {"unknown"}
    assert {len(code) for code in LANGUAGES.values()} == {3}
    assert len(set(LANGUAGES.values())) == len(LANGUAGES)


def test_a_song_says_what_players_show_and_only_what_it_knows():
    song = Song("calm piano, rain", "[Verse]\nla", bpm=90, key="F# minor", language="de")
    assert song_fields(song) == {
        "title": "calm piano, rain",
        "description": "calm piano, rain",
        "lyrics": "[Verse]\nla",
        "bpm": "90",
        "key": "F#m",
        "language": "deu",
    }
    assert song_fields(Song()) == {}
    assert "language" not in song_fields(Song("calm", "[Instrumental]", language="de"))
    assert "language" not in song_fields(Song("calm", "la", language="unknown"))


@pytest.mark.parametrize(
    ("caption", "title"),
    [
        ("\n  calm piano \nsecond line", "calm piano"),
        ("a" * 60, "a" * 60),
        ("音" * 61, "音" * 59 + "…"),
        ("word " * 12 + "more", "word " * 11 + "word…"),
        ("x" * 50 + " and, something longer", "x" * 50 + " and…"),
    ],
)
def test_a_title_is_the_beginning_of_the_caption(caption: str, title: str):
    assert short_title(caption) == title


def test_a_riff_header_counts_every_byte():
    for fields in ({}, {"title": "odd"}, {"title": "even"}):
        data = tagged("WAV", fields)[1]
        assert struct.unpack_from("<I", data, 4)[0] == len(data) - 8


def test_no_size_in_an_id3_tag_has_a_high_bit():
    tag = tags.pack_id3({"caption": "x" * 40_000})
    assert tag[:6] == b"ID3\x04\x00\x00"
    assert max(tag[6:10] + tag[14:18]) < 0x80
    assert tags.id3_length(tag) == len(tag)
    assert tags.unpack_id3(tag) == {"caption": "x" * 40_000}


@pytest.mark.parametrize("name", ["", "a=b", "naïve", "line\nbreak"])
def test_a_name_that_cannot_be_written_is_refused(name: str):
    with pytest.raises(SaveError, match="cannot be the name of a tag"):
        tagged("FLAC", {name: "text"})


def test_a_zero_byte_is_refused():
    with pytest.raises(SaveError, match="'caption' has a zero byte"):
        tagged("MP3", {"caption": "a\0b"})


def test_tags_beyond_a_flac_block_are_refused():
    with pytest.raises(SaveError, match=r"16\d{6} bytes"):
        tagged("FLAC", {"workflow": "x" * 2**24})


def test_a_file_of_another_kind_is_refused_by_name(tmp_path: Path):
    path = tmp_path / "notes.txt"
    path.write_bytes(b"")
    with pytest.raises(InvalidAudioError, match=r"notes\.txt is not a FLAC, MP3, WAV, Opus or M4A"):
        tags.read(path)
