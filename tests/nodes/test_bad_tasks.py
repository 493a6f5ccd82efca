"""What no task can be made of is refused in words, before heavy work."""

from typing import Any

import pytest
import torch

from tests.nodes import music as rendered
from tests.nodes.lm_prompts import complaint, shown
from tests.nodes.task_prompts import (
    DEFAULTS,
    Run,
    loaders,
    task,
    whole,
)
from tools.hosts.pack import Pack

SECONDS = 6.0


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("Repaint", {"start": 3.0, "end": 2.0}, "not after its start"),
        ("Repaint", {"start": 7.0, "end": 8.0}, "starts at 7 s"),
        ("Morph", {"n_min": 0.8, "n_max": 0.2}, "The edit window from 0.8 to 0.2"),
        ("Complete", dict.fromkeys(DEFAULTS["Complete"], False), "No track is switched on"),
        ("Repaint", {"start": -300.0, "end": 400.0}, "the models play 600 s"),
    ],
)
def test_requests_that_cannot_be_carried_out_are_refused_in_words(
    run: Run, kind: str, changes: dict[str, Any], said: str
) -> None:
    assert said in complaint(run(whole(kind, **changes)))


@pytest.mark.parametrize(
    ("kind", "changes", "error"),
    [
        ("Lego", {"track": "kazoo"}, "value_not_in_list"),
        ("Cover", {"cover_strength": 1.1}, "value_bigger_than_max"),
        ("Cover", {"source_strength": -0.1}, "value_smaller_than_min"),
        ("AudioToAudio", {"ref_audio_strength": 1.5}, "value_bigger_than_max"),
        ("Repaint", {"strength": 2.0}, "value_bigger_than_max"),
        ("Morph", {"n_max": 1.5}, "value_bigger_than_max"),
        ("Morph", {"n_avg": 0}, "value_smaller_than_min"),
        ("Cover", {"batch_size": 9}, "value_bigger_than_max"),
        ("Repaint", {"mode": "wild"}, "value_not_in_list"),
    ],
)
def test_values_out_of_range_are_refused_before_anything_runs(
    run: Run, kind: str, changes: dict[str, Any], error: str
) -> None:
    found = run(whole(kind, **changes))
    assert found.status == "refused"
    kinds = [each["type"] for each in found.node_errors["task"]["errors"]]
    assert kinds == [error]


def test_a_missing_source_is_refused_before_anything_runs(run: Run) -> None:
    nodes = whole("Cover")
    del nodes["task"]["inputs"]["source"]
    found = run(nodes)
    assert found.status == "refused"
    assert [e["type"] for e in found.node_errors["task"]["errors"]] == ["required_input_missing"]


@pytest.fixture(scope="module")
def loaded(pack: Pack, run: Run) -> dict[str, Any]:
    found = run({**loaders(), **task("Cover"), "o": shown("text", 0), "p": shown("vae", 0)})
    song = run({"song": task("Cover")["song"], "o": shown("song", 0)}).values["song"][0]
    return {"text_encoder": found.values["text"][0], "vae": found.values["vae"][0], "song": song}


NAN = {"waveform": torch.full((1, 2, 48_000), float("nan")), "sample_rate": 48_000}
SILENT = {"waveform": torch.zeros(1, 2, 48_000), "sample_rate": 48_000}
LONG = {"waveform": torch.ones(1, 1, 1).expand(1, 1, 660 * 8_000), "sample_rate": 8_000}


@pytest.mark.parametrize("kind", list(DEFAULTS))
@pytest.mark.parametrize(
    ("source", "said"),
    [(NAN, "NaN"), (SILENT, "silent"), (LONG, "660"), (rendered.audio(0.01), "0.01 seconds")],
    ids=["nan", "silent", "11 minutes", "10 ms"],
)
def test_bad_sources_are_refused_before_heavy_work(
    pack: Pack, loaded: Any, monkeypatch: Any, kind: str, source: Any, said: str
) -> None:
    import comfy.model_management as management

    asked: list[Any] = []
    monkeypatch.setattr(management, "load_models_gpu", lambda *a, **_: asked.append(a))
    execute = pack.nodes[f"AceStep15{kind}"].execute
    given = loaded | ({"source_song": loaded["song"]} if kind == "Morph" else {})
    with pytest.raises(Exception, match=said) as caught:
        execute(**given, source=source, batch_size=1, **DEFAULTS[kind])
    assert type(caught.value).__name__ == "InvalidAudioError"
    assert asked == []


def test_a_silent_reference_and_a_mask_of_another_length_are_refused(
    pack: Pack, loaded: Any
) -> None:
    reference = pack.nodes["AceStep15ReferenceAudio"].execute
    with pytest.raises(Exception, match="The reference is silent"):
        reference(positive=[], audio=SILENT, vae=loaded["vae"], seed=0)
    repaint = pack.nodes["AceStep15Repaint"].execute
    mask = torch.ones(1, 1, 149)
    with pytest.raises(Exception, match=r"needs \[1, 1, 150\]"):
        repaint(
            **loaded,
            source=rendered.audio(SECONDS),
            batch_size=1,
            mask=mask,
            **DEFAULTS["Repaint"],
        )
