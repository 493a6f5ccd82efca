"""The six commands that make a recording, on the miniature models."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import av
import pytest
import soundfile

from ace_core.cli.main import main
from ace_core.cli.output import Exit
from ace_core.wildcards import expand
from tools.miniature import Miniature

ROOT = Path(__file__).parents[3]
QUICK = ("--no-thinking", "--inference-steps", 1, "--caption", "rain")


def test_a_song_lies_where_it_was_asked_for_and_nothing_beside_it(
    ask: Any, models: tuple[str, str], tone: Path, tmp_path: Path
):
    out = tmp_path / "songs" / "rain.wav"
    code, (output,), _ = ask("cover", tone, *QUICK, *models, "--seed", 7, "-o", out)
    assert code == Exit.DONE
    assert [path.name for path in out.parent.iterdir()] == ["rain.wav"]
    assert [(song["path"], song["seed"]) for song in output["songs"]] == [(str(out), 7)]
    assert output["songs"][0]["params"]["task_type"] == "cover"
    assert output["time_costs"]["pipeline_total_time"] > 0
    assert soundfile.info(out).format in ("WAV", "WAVEX")


@pytest.mark.parametrize(
    ("command", "words", "name", "value"),
    [
        ("remix", (), "task_type", "cover-nofsq"),
        ("audio2audio", ("--ref-audio-strength", 0.3), "ref_audio_strength", 0.3),
        ("audio2audio", (), "audio2audio_enable", True),
        ("morph", (), "flow_edit_morph", True),
    ],
)
def test_a_command_sets_what_it_is_named_after(
    ask: Any,
    models: tuple[str, str],
    tone: Path,
    tmp_path: Path,
    command: str,
    words: tuple[Any, ...],
    name: str,
    value: Any,
):
    code, (output,), _ = ask(command, tone, *QUICK, *models, *words, "-o", tmp_path / "a.wav")
    assert (code, output["songs"][0]["params"][name]) == (Exit.DONE, value)


def test_timed_lyrics_lie_beside_each_song_and_scores_are_printed(
    ask: Any, models: tuple[str, str], tmp_path: Path
):
    words = ("generate", *QUICK, *models, "--no-lm", "--duration", 10, "--lyrics", "la la")
    words = (*words, "--lyric-timestamps", "srt", "--score", "--batch-size", 2, "--seed", 3)
    code, (output,), _ = ask(*words, "-o", tmp_path / "rain.wav")
    assert code == Exit.DONE
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["rain.1.srt", "rain.1.wav", "rain.2.srt", "rain.2.wav"]
    for song in output["songs"]:
        text = Path(song["lyric_timestamps"]["path"])
        assert text == Path(song["path"]).with_suffix(".srt")
        assert "la la" in text.read_text(encoding="utf-8")
        assert 0 <= song["score"]["total"] <= 1
    folder = tmp_path / "takes"
    for expected in (1, 2):  # made again: the next free number, for both files
        code, (output,), _ = ask(*words, "-o", folder)
        assert len(list(folder.glob("*.srt"))) == len(list(folder.glob("*.flac"))) == 2 * expected
        text = Path(output["songs"][0]["lyric_timestamps"]["path"])
        assert text == Path(output["songs"][0]["path"]).with_suffix(".srt")


def test_several_songs_are_numbered(ask: Any, models: tuple[str, str], tone: Path, tmp_path: Path):
    words = ("repaint", tone, *QUICK, *models, "--seeds", "3,4", "--batch-size", 2)
    code, (output,), _ = ask(*words, "--no-lm", "-o", tmp_path / "rain.flac")
    assert code == Exit.DONE
    names = [Path(song["path"]).name for song in output["songs"]]
    assert names == ["rain.1.flac", "rain.2.flac"]
    assert [song["seed"] for song in output["songs"]] == [3, 4]
    assert [song["params"]["seed"] for song in output["songs"]] == [3, 4]
    first, second = (soundfile.read(tmp_path / name)[0] for name in names)
    assert (first != second).any()


@pytest.mark.parametrize(
    ("command", "tracks", "instruction"),
    [
        ("extract", ["vocals"], "Extract the VOCALS track from the audio:"),
        ("lego", ["bass"], "Generate the BASS track based on the audio context:"),
        (
            "complete",
            ["Drum,bass", "guitars"],
            "Complete the input track with DRUMS | BASS | GUITAR:",
        ),
        ("complete", ["drums", "bass"], "Complete the input track with DRUMS | BASS:"),
    ],
)
def test_a_track_is_asked_for_in_the_words_of_its_task(
    ask: Any,
    checkpoints: Miniature,
    tone: Path,
    tmp_path: Path,
    command: str,
    tracks: list[str],
    instruction: str,
):
    where = ("--models", checkpoints.root / "official", "--checkpoint", "acestep-v15-base")
    words = (command, tone, *QUICK, *where, "--track", *tracks, "-o", tmp_path / "a.wav")
    code, (output,), _ = ask(*words)
    assert (code, output["songs"][0]["params"]["instruction"]) == (Exit.DONE, instruction)


@pytest.mark.parametrize(
    ("name", "words"),
    [("a.m4a", ()), ("a.opus", ()), ("a.wav", ("--audio-format", "wav32"))],
)
def test_the_end_of_the_name_chooses_the_format(
    ask: Any,
    models: tuple[str, str],
    tone: Path,
    tmp_path: Path,
    name: str,
    words: tuple[str, ...],
):
    out = tmp_path / name
    code, (output,), _ = ask("cover", tone, *QUICK, *models, *words, "-o", out)
    assert (code, output["songs"][0]["path"]) == (Exit.DONE, str(out))
    with av.open(out) as container:
        expected = {"a.m4a": "aac", "a.opus": "opus", "a.wav": "pcm_f32le"}[name]
        assert container.streams.audio[0].codec_context.name == expected


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["generate", "--bpm", "500"], "`bpm` is 500, but must be 30 to 300"),
        (["generate", "--caption", "x", "--seed", "-5"], "-5 is not a seed"),
        (["generate", "--lyrics", "a", "--lyrics-file", "b"], "Give one"),
        (["generate", "--lyrics-file", "none.txt"], "cannot be read"),
        (["generate", "-o", "a.mp3", "--audio-format", "wav"], "Give one of them"),
        (["generate", "-o", "a.wav", "--audio-format", "aac"], "aac makes a .m4a file"),
        (["generate", "-o", "a.txt"], "`audio_format` is 'txt'"),
        (["cover", "none.wav", "--caption", "x"], "there is no file none.wav"),
        (["extract", "none.wav"], "extract needs --track, one of vocals"),
        (["complete", "none.wav", "--caption", "x"], "complete needs --track, one or more of"),
        (["lego", "none.wav", "--track", "drums,bass"], "one track, but --track names 2"),
        (["generate", "--caption", "x", "--checkpoint", "nothing"], "No diffusion model"),
        (["generate", "--caption", "x", "--lm", "nothing"], "No 5 Hz language model"),
        (["generate", "--caption", "x", "--device", "abacus"], "'abacus' is not here"),
    ],
)
def test_what_cannot_be_done_is_reported_and_leaves_nothing(
    ask: Any,
    models: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    words: list[str],
    message: str,
):
    monkeypatch.chdir(tmp_path)
    code, (answer,), errors = ask(*words, *models)
    assert code == Exit.USAGE
    assert message in answer["error"]
    assert errors == f"error: {answer['error']}\n"
    assert list(tmp_path.iterdir()) == []


def test_the_text_output_names_the_file_and_the_seed(
    models: tuple[str, str], tone: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    words = ("cover", tone, *QUICK, *models, "--seed", 7, "-o", tmp_path / "a.wav")
    assert main([str(word) for word in words]) == Exit.DONE
    assert capsys.readouterr().out == f"{tmp_path / 'a.wav'}  seed 7\n"


def test_ctrl_c_leaves_no_half_song(checkpoints: Miniature, tone: Path, tmp_path: Path):
    out = tmp_path / "songs"
    words = ["generate", "--models", str(checkpoints.release), "--no-lm", "--caption", "x"]
    words += ["--duration", "600", "--inference-steps", "20", "-o", str(out)]
    with subprocess.Popen(
        [sys.executable, "-m", "ace_core", *words],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        while process.poll() is None and not list(out.glob(".*.partial")):
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        _, output = process.communicate()
    assert (process.returncode, output) == (Exit.INTERRUPTED, "error: interrupted\n")
    assert list(out.iterdir()) == []


def test_wildcards_are_drawn_by_the_seed_and_reported(
    ask: Any, models: tuple[str, str], tone: Path, tmp_path: Path
):
    words = ("cover", tone, "--no-thinking", "--inference-steps", 1, *models, "--no-lm")
    words = (*words, "--caption", "{calm|loud|slow|wild} rain", "-o", tmp_path / "rain.wav")
    captions = {}
    for seed in (1, 2):
        _, (output,), _ = ask(*words, "--seed", seed)
        captions[seed] = output["songs"][0]["params"]["caption"]
        drawn = captions[seed].split()[0]
        assert f"Wildcards of `caption`, seed {seed}: '{drawn}'." in output["status_message"]
    assert captions == {
        seed: expand("{calm|loud|slow|wild} rain", seed, "caption").text for seed in (1, 2)
    }


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("generate", "--caption", "x", "--seed", "-5"), "seed"),
        (("generate", "--caption", "x", "--bpm", "9999"), "bpm"),
        (("cover", "none.wav", "--caption", "x"), "none.wav"),
    ],
    ids=["seed", "bpm", "recording"],
)
def test_a_wrong_request_is_said_before_a_missing_model(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], options: tuple[str, ...], words: str
):
    assert main([*options, "--models", str(tmp_path)]) == Exit.USAGE
    error = capsys.readouterr().err
    assert words in error
    assert "diffusion model" not in error


def test_the_best_of_ranked_takes_has_the_name_and_the_others_are_beside_it(
    ask: Any, models: tuple[str, str], tmp_path: Path
):
    words = ("generate", *QUICK, *models, "--no-lm", "--duration", 10, "--seed", 3)
    words = (*words, "--bpm", 120, "--keyscale", "Bb minor")
    best = (*words, "--best-of", 3, "--prefer", "tempo:2,key", "-o", tmp_path / "a" / "rain.wav")
    code, (output,), errors = ask(*best)
    assert code == Exit.DONE
    assert [Path(song["path"]).name for song in output["songs"]] == [
        "rain.wav",
        "rain.2.wav",
        "rain.3.wav",
    ]
    assert len({(tmp_path / "a" / name).read_bytes() for name in os.listdir(tmp_path / "a")}) == 3
    scores = [song["fit"]["score"] for song in output["songs"]]
    assert scores == sorted(scores, reverse=True)
    assert f"1. seed {output['songs'][0]['seed']}: {scores[0]:.4f}; " in errors
    until = (*words, "--until", "ending", "--tries", 2, "-o", tmp_path / "b.wav")
    code, (output,), errors = ask(*until)
    assert code == Exit.DONE
    assert Path(output["songs"][0]["path"]) == tmp_path / "b.wav"
    assert "fits by ending" in errors
    open_tempo = ("generate", *QUICK, *models, "--duration", 10, "--until", "tempo")
    code, (output,), _ = ask(*open_tempo, "-o", tmp_path / "c.wav")
    assert code == Exit.USAGE
    assert "the song asks for no tempo" in output["error"]
