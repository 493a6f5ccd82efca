"""The stem board on the miniature: made, set, mixed, measured and saved."""

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import soundfile
import torch

from tests.nodes.flows import LOADER, recordings, small
from tests.nodes.test_text_to_music import done, number, replaced
from tools.hosts.host import Outcome, Prompt
from tools.hosts.pack import Pack


@pytest.fixture(scope="module")
def board(models: Path, base_directory: Path) -> Prompt:
    recordings(base_directory / "input")
    return small("stem_board")


@pytest.fixture(scope="module")
def made(pack: Pack, board: Prompt) -> Outcome:
    return done(pack, board)


@pytest.fixture(scope="module")
def built(pack: Pack, board: Prompt) -> tuple[Prompt, Outcome]:
    prompt = small("build_up")
    return prompt, done(pack, prompt)


def value(outcome: Outcome, prompt: Prompt, kind: str, slot: int = 0) -> Any:
    found = [n for n, node in prompt.items() if node["class_type"] == f"AceStep15{kind}"]
    return [outcome.values[n][slot] for n in found]


def why(pack: Pack, prompt: Prompt) -> str:
    outcome = pack.host.run(prompt, extra_pnginfo={"workflow": {}})
    assert not outcome.complete
    return outcome.why()


def test_each_switched_track_is_a_stem_and_the_rest_makes_them_whole(
    made: Outcome, board: Prompt
) -> None:
    (stems,) = value(made, board, "MakeStems")
    assert [stem.name for stem in stems] == ["drums", "bass", "keyboard", "residual"]
    source = made.values[number_of(board, LOADER)][0]["waveform"]
    total = sum(stem.audio[..., : source.shape[-1]] for stem in stems)
    torch.testing.assert_close(total, source, rtol=0, atol=1e-5)


def number_of(prompt: Prompt, kind: str) -> str:
    return next(n for n, node in prompt.items() if node["class_type"] == kind)


def test_a_stem_is_what_extract_and_the_sampler_make(
    pack: Pack, made: Outcome, board: Prompt
) -> None:
    single = small("stems")
    outcome = done(pack, single)
    for stem, sound in zip(
        value(made, board, "MakeStems")[0], value(outcome, single, "DecodeAudio"), strict=False
    ):
        torch.testing.assert_close(stem.audio, sound["waveform"])


def test_the_mix_has_the_levels_that_were_set(made: Outcome, board: Prompt) -> None:
    (stems,) = value(made, board, "MakeStems")
    mixes, reports = value(made, board, "Mixdown"), value(made, board, "Mixdown", 1)
    _, bass, keyboard, rest = (stem.audio for stem in stems)
    left = 10**0.1 * keyboard[:, 0] + 1.144123 * bass[:, 0] + rest[:, 0]
    torch.testing.assert_close(mixes[0]["waveform"][:, 0], left, rtol=1e-4, atol=1e-5)
    lines = reports[0].splitlines()
    assert lines[:4] == [
        "drums: muted",
        "bass: +0 dB, 20% left",
        "keyboard: +2 dB, centre",
        "residual: +0 dB, centre",
    ]
    assert re.fullmatch(r"peak: -?\d+\.\d dBFS", lines[4])


def test_against_the_recording_the_untouched_stems_leave_nothing(
    made: Outcome, board: Prompt
) -> None:
    said = value(made, board, "Mixdown", 1)[1].splitlines()[-1]
    found = re.fullmatch(r"null test over 6\.00 s: (nothing is left|(-\d+\.\d) dB)", said)
    assert found is not None
    assert found[2] is None or float(found[2]) < -100


def test_the_stems_are_saved_as_one_folder_under_their_names(
    made: Outcome, board: Prompt, base_directory: Path
) -> None:
    shown = made.ui[number(board, "SaveStems")]["audio"]
    names = [each["filename"] for each in shown]
    assert names == ["drums.flac", "bass.flac", "keyboard.flac", "residual.flac"]
    (folder,) = {each["subfolder"] for each in shown}
    assert re.fullmatch(r"audio.stems_\d{5}", folder)
    text = made.ui[number(board, "SaveStems")]["ace_step_text"][0].splitlines()
    assert text[0] == f"Folder: output/{folder}".replace("\\", "/")
    assert [line.split(":")[0] for line in text[1:]] == names
    assert all(re.search(r": -?\d+\.\d LUFS, true peak -?\d+\.\d dBTP", line) for line in text[1:])
    (stems,) = value(made, board, "MakeStems")
    for each, stem in zip(shown, stems, strict=True):
        path = base_directory / each["type"] / each["subfolder"] / each["filename"]
        heard, rate = soundfile.read(path, always_2d=True)
        assert rate == 48_000
        held = stem.audio[0].clamp(-1, 1).double()
        torch.testing.assert_close(torch.from_numpy(heard.T), held, rtol=0, atol=1e-6)


def test_with_levels_a_muted_stem_is_saved_as_silence(
    pack: Pack, board: Prompt, base_directory: Path
) -> None:
    # the board behind the last Stem Level, where the drums are muted
    last = next(n for n, node in board.items() if node["inputs"].get("mute") is True)
    outcome = done(pack, replaced(board, "SaveStems", stems=[last, 0], apply_levels=True))
    each = outcome.ui[number(board, "SaveStems")]["audio"][0]
    heard, _ = soundfile.read(base_directory / "output" / each["subfolder"] / each["filename"])
    assert "drums" in each["filename"]
    assert abs(heard).max() == 0


def test_what_is_built_later_hears_what_was_built_before(
    pack: Pack, built: tuple[Prompt, Outcome]
) -> None:
    prompt, outcome = built
    drums, bass, backing = value(outcome, prompt, "MakeStems")[0]
    assert (drums.name, bass.name, backing.name) == ("drums", "bass", "backing")
    no_drums = replaced(replaced(prompt, "MakeStems", drums=False), "TakeStem", name="bass")
    lonely = value(done(pack, no_drums), prompt, "MakeStems")[0][0]
    assert lonely.name == "bass"
    assert (lonely.audio - bass.audio).abs().max() > 1e-3


def test_a_stem_of_ones_own_is_mixed_and_one_is_taken_off(built: tuple[Prompt, Outcome]) -> None:
    prompt, outcome = built
    (stems,) = value(outcome, prompt, "AddStem")
    assert [stem.name for stem in stems] == ["drums", "bass", "backing", "keyboard"]
    (mix,) = value(outcome, prompt, "Mixdown")
    total = sum(
        torch.nn.functional.pad(s.audio, (0, _longest(stems) - s.audio.shape[-1])) for s in stems
    )
    torch.testing.assert_close(mix["waveform"], total)
    (taken,) = value(outcome, prompt, "TakeStem")
    assert torch.equal(taken["waveform"], stems[0].audio)


def _longest(stems: Any) -> int:
    return max(stem.audio.shape[-1] for stem in stems)


def test_a_name_that_is_not_on_the_board_is_answered_with_those_that_are(
    pack: Pack, board: Prompt
) -> None:
    reason = why(pack, replaced(board, "StemLevel", name="flute"))
    assert "drums, bass, keyboard, residual" in reason


def test_no_track_at_all_is_refused(pack: Pack, board: Prompt) -> None:
    off = {"keyboard": False, "drums": False, "bass": False}
    assert "No track is switched on" in why(pack, replaced(board, "MakeStems", **off))


def test_the_report_names_every_track_and_what_it_took(made: Outcome, board: Prompt) -> None:
    (report,) = value(made, board, "MakeStems", 1)
    heads = [part.splitlines()[0] for part in report.split("\n\n")]
    assert heads == ["drums, 1 of 3", "bass, 2 of 3", "keyboard, 3 of 3"]
    for part in report.split("\n\n"):
        assert re.search(r"^length: 10 s$|^length: 6 s$", part, re.M)
        assert re.search(r"^time: \d+\.\d s on cpu$", part, re.M)
        assert re.search(r"^peak memory: \d+\.\d GiB", part, re.M)
        assert re.search(r"^shift: ", part, re.M)


def test_no_page_shows_the_summary_of_a_run_that_none_queued(
    pack: Pack, board: Prompt, page: SimpleNamespace
) -> None:
    page.client_id = None  # a message to no page in particular would go to all
    done(pack, replaced(board, "MakeStems", seed=78))
    assert page.sent == []


def test_the_summary_is_shown_on_the_node_of_the_page_that_queued_the_run(
    pack: Pack, board: Prompt, page: SimpleNamespace
) -> None:
    outcome = done(pack, replaced(board, "MakeStems", seed=77))
    (report,) = value(outcome, board, "MakeStems", 1)
    own = number(board, "MakeStems")
    text, _, to = [message for message in page.sent if message[1] == own][-1]
    assert to == "a page"
    assert text.split("  \n") == report.split("\n")  # lines also where the page reads Markdown
