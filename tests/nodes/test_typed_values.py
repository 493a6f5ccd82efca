"""What a node refuses of what was typed into it is refused before anything runs, at the widget."""

import math

import pytest

from tests.nodes.lm_prompts import node, song
from tools.hosts.host import Outcome
from tools.hosts.pack import Pack

ZERO_OR = {  # a number that its node takes, or 0: the least and the most
    ("Song", "seconds"): (10.0, 600.0),
    ("CreateSample", "seconds"): (10.0, 600.0),
    ("Correct", "bpm"): (30.0, 300.0),
}


@pytest.mark.parametrize(("kind", "widget"), ZERO_OR)
def test_between_zero_and_the_range_no_number_is_taken(pack: Pack, kind: str, widget: str) -> None:
    def answer(value: float | None) -> bool | str:
        return pack.nodes[f"AceStep15{kind}"].validate_inputs(**{widget: value})

    least, most = ZERO_OR[kind, widget]
    for value in (-1.0, 0.1, least - 0.1, most + 0.1, math.nan):
        assert f"Set {least:g} to {most:g}, or 0: " in str(answer(value))
    for value in (0.0, least, most, None):
        assert answer(value) is True


@pytest.mark.parametrize("seconds", [5.0, -1.0, 700.0])
def test_a_song_refuses_its_length_at_the_widget(pack: Pack, seconds: float) -> None:
    refused = sung(pack, seconds)
    assert (refused.status, refused.ran) == ("refused", ())
    (error,) = refused.node_errors["song"]["errors"]
    sentence = f"`seconds` is {seconds:g}. Set 10 to 600, or 0: the length is chosen for you."
    assert error["details"] == f"seconds - {sentence}"


def test_a_song_takes_no_length(pack: Pack) -> None:
    assert sung(pack, 0.0).complete


def sung(pack: Pack, seconds: float) -> Outcome:
    details = node("SongDetails", song=["song", 0])
    read = {"class_type": "PreviewAny", "inputs": {"source": ["details", 0]}}
    return pack.host.run({"song": song(seconds=seconds), "details": details, "out": read})


@pytest.mark.parametrize(
    ("kind", "widget", "wrong", "right"),
    [
        ("Sampler", "seeds", "7, piano", "7, -1"),
        ("Noise", "seeds", "7, piano", ""),
        ("TryUntilFit", "until", "groove", "tempo, key"),
        ("KeepBest", "prefer", "groove", ""),
        ("TextToCodes", "text", "12, piano", "12, 13"),
        ("SaveAudio", "filename_prefix", "../song", "audio/song"),
    ],
)
def test_a_text_is_read_before_anything_runs(
    pack: Pack, kind: str, widget: str, wrong: str, right: str
) -> None:
    checked = pack.nodes[f"AceStep15{kind}"].validate_inputs
    assert wrong.split(", ")[-1] in checked(**{widget: wrong})
    assert checked(**{widget: right}) is True
    assert checked(**{widget: None}) is True  # wired: known when it runs
