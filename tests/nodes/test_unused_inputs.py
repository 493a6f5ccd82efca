"""Nothing unused is unsaid: each rule of nodes/unused.py, on its node, and no note without one."""

import json
import logging
from typing import Any

import pytest
import torch

from tests.nodes.lm_prompts import Run, compose, create, node, runner, shown, song, value
from tests.nodes.task_prompts import BASE, TRACKS, Nodes, made, sampler, whole
from tools.hosts.checkout import ROOT
from tools.hosts.host import Outcome
from tools.hosts.pack import Pack

pytestmark = pytest.mark.usefixtures("brief")

SUNG, COLD = "[Verse]\nla la", {"temperature": 0.0}
OFF = {"metadata": False, "caption": False, "language": False}
OWN = {"instruction": "Play it:"}
Situation = dict[str, Any]
WRITING = "seed top_p top_k min_p"
TEXT = "seed temperature top_p top_k min_p repetition_penalty constrained_decoding trace"
# (node, inputs): where they are not read, and where they are
CASES: dict[tuple[str, str], tuple[Situation, Situation]] = {
    ("Song", "lyrics"): ({"instrumental": True, "lyrics": SUNG}, {"instrumental": False}),
    ("Song", "wildcard_seed"): ({"caption": "calm"}, {"caption": "{calm|loud}"}),
    ("Think", TEXT): (OFF, {"metadata": True}),
    ("TextToMusic", "cover_strength"): ({"codes": None}, {"codes": (1,)}),
    ("TextToMusic", "instruction"): ({"cover_strength": 0}, {"cover_strength": 0.5}),
    ("Cover", "quantize instruction"): ({"cover_strength": 0}, {"cover_strength": 0.5}),
    ("ComposeCodes", "negative_prompt"): ({"cfg": 1.0}, {"cfg": 1.1}),
    ("Morph", "source_song n_avg"): ({"n_min": 0.5, "n_max": 0.5}, {"n_min": 0.4, "n_max": 0.5}),
    ("Repaint", "start end"): ({"mask": torch.ones(1, 1, 4)}, {"mask": None}),
    ("Repaint", "strength"): ({"mode": "aggressive"}, {"mode": "balanced"}),
    ("Lego", "keep_source"): ({"mask": None}, {"mask": torch.ones(1, 1, 4)}),
    ("Lego", "track"): (OWN, {"instruction": ""}),
    ("Extract", "track"): (OWN, {"instruction": ""}),
    ("Complete", " ".join(TRACKS)): (OWN, {"instruction": ""}),
    ("Guidance", "kind start end"): ({"scale": 1.0}, {"scale": 2.0}),
    ("EncodeAudio", "seed"): ({"posterior": "mean"}, {"posterior": "sample"}),
    ("Score", "score_scale"): ({"lm": None}, {}),
    ("Score", "heads"): ({"song": ""}, {"song": SUNG}),
    ("StemLevel", "gain pan"): ({"mute": True}, {"mute": False}),
    ("SaveAudio", "bitrate"): ({"format": "wav16"}, {"format": "opus"}),
    ("SaveAudio", "normalization_db"): ({"normalization": "off"}, {"normalization": "peak"}),
    ("SaveAudio", "normalization_lufs"): (
        {"normalization": "peak"},
        {"normalization": "loudness"},
    ),
    ("Sampler", "vae preview_at"): ({"preview_every": 0}, {"preview_every": 1}),
}
for kind in ("Think", "CreateSample", "FormatSample", "Understand", "ComposeCodes"):
    CASES[kind, WRITING] = (COLD, {"temperature": 0.1})
for kind in ("Sampler", "Noise"):
    CASES[kind, "seed"] = ({"seeds": "7, 8"}, {"seeds": "-1, 8"})
    CASES[kind, "retake_variance"] = ({"retake_seed": -1}, {"retake_seed": 4})
    CASES[kind, "retake_seed"] = ({"retake_variance": 0.0}, {"retake_variance": 0.1})


def inputs_of(pack: Pack, name: str) -> list[Any]:
    return pack.nodes[f"AceStep15{name}"].GET_SCHEMA().inputs


def changed(pack: Pack, each: Any) -> Any:
    """Another value than the default, or something connected."""
    kind = type(each).__qualname__.split(".")[0]
    default: Any = getattr(each, "default", None)
    if each.id in ("song", "source_song"):
        return pack.submodule("ace_core.types").Song(caption="calm", lyrics=SUNG)
    if kind == "Boolean":
        return not default
    if kind in ("Int", "Float"):
        return default + 1 if each.max is None or default + 1 <= each.max else default - 1
    if kind == "Combo":
        return next(option for option in each.options if option != default)
    return "something" if kind == "String" else object()


def notes_on(pack: Pack, name: str, given: Situation) -> list[str]:
    if isinstance(given.get("song"), str):
        lyrics = given["song"]
        given = {**given, "song": pack.submodule("ace_core.types").Song("calm", lyrics)}
    schema = pack.nodes[f"AceStep15{name}"].GET_SCHEMA()
    return pack.submodule("nodes.unused").unused_notes(schema, given)


def rules(pack: Pack) -> dict[tuple[str, str], Any]:
    table = pack.submodule("nodes.unused").RULES
    return {(name, rule.inputs): rule for rule in table for name in rule.nodes.split()}


def test_every_rule_has_a_case_and_names_inputs_that_there_are(pack: Pack) -> None:
    assert set(rules(pack)) == set(CASES)
    for name, inputs in CASES:
        assert set(inputs.split()) <= {each.id for each in inputs_of(pack, name)}


@pytest.mark.parametrize(("name", "inputs"), CASES)
def test_a_rule_says_what_is_not_read_and_only_there(pack: Pack, name: str, inputs: str) -> None:
    unread, read = CASES[name, inputs]
    named = inputs.split()
    own = {each.id: changed(pack, each) for each in inputs_of(pack, name) if each.id in named}
    calm: Situation = {"song": SUNG, "source_song": SUNG}  # what no rule is about
    others = {"codes": (1,)} if name == "TextToMusic" else {}
    others |= {"lm": object()} if name == "Score" else {}
    reason = rules(pack)[name, inputs].reason
    said = notes_on(pack, name, {**calm, **others, **own, **unread})
    (note,) = [each for each in said if each.endswith(f"not used: {reason}.")]
    assert [f"`{each}`" in note for each in named] == [True] * len(named)
    said = notes_on(pack, name, {**calm, **others, **own, **read})
    assert not [each for each in said if each.endswith(f"not used: {reason}.")]
    defaults = {each.id: getattr(each, "default", None) for each in inputs_of(pack, name)}
    left = {each: defaults[each] for each in named}
    said = notes_on(pack, name, {**calm, **others, **left, **{"lyrics": ""}, **unread} | left)
    assert not [each for each in said if f"`{named[0]}`" in each]


def test_a_node_with_its_defaults_has_no_note(pack: Pack) -> None:
    said = {name: notes_on(pack, name.removeprefix("AceStep15"), {}) for name in pack.nodes}
    assert {name: notes for name, notes in said.items() if notes} == {}


@pytest.mark.parametrize("path", sorted((ROOT / "workflows" / "api").glob("*.json")), ids=str)
def test_no_workflow_has_a_note(pack: Pack, path: Any) -> None:
    found = []
    for each in json.loads(path.read_text()).values():
        if each["class_type"] not in pack.nodes:
            continue
        name = each["class_type"].removeprefix("AceStep15")
        linked = {
            one.id: changed(pack, one)
            for one in inputs_of(pack, name)
            if isinstance(each["inputs"].get(one.id), list)
        }
        found += notes_on(pack, name, each["inputs"] | linked)
    assert found == []


def test_a_node_that_has_a_rule_can_write_on_itself(pack: Pack) -> None:
    hidden = {
        name: [each.name for each in pack.nodes[f"AceStep15{name}"].GET_SCHEMA().hidden]
        for name, _ in CASES
    }
    assert {name for name, found in hidden.items() if "unique_id" not in found} == set()


# --- on the host --------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def write(pack: Pack, models: Any) -> Run:
    return runner(pack)


def test_a_note_is_on_the_node_in_the_log_and_gone_with_its_cause(
    write: Run, pack: Pack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    sent: list[tuple[str, str]] = []
    host = pack.submodule("nodes.host")
    monkeypatch.setattr(host, "send_text", lambda text, at: sent.append((text, at.unique_id)))
    note = "`lyrics` is not used: instrumental is on."
    with caplog.at_level(logging.WARNING):
        outcome = write("song", song=song(instrumental=True, lyrics=SUNG))
    assert outcome.ui["song"]["ace_step_text"] == [note]
    assert sent == [(note, "song")]
    assert f"ACE-Step Song: {note}" in caplog.messages
    outcome = write("song", song=song(instrumental=True, lyrics=""))
    assert outcome.complete
    assert "song" not in outcome.ui


def test_a_note_stands_behind_what_the_node_shows_anyway(run: Run) -> None:
    outcome = run({**whole("Repaint"), "music": sampler(retake_variance=0.5)})
    report, (text,) = outcome.values["music"][1], outcome.ui["music"]["ace_step_text"]
    assert text == f"`retake_variance` is not used: there is no retake_seed.\n{report}"
    shown_too = run(whole("Repaint", mode="aggressive", strength=0.9)).ui["task"]
    assert set(shown_too) == {"ace_step_text", "ace_step_waveforms"}


# --- the rules are true -------------------------------------------------------------------------

MASKED = {"mask": ["part", 0]}
CHANGES: list[tuple[str, Situation, Situation]] = [  # a task, where, and what is not read there
    ("Repaint", {"mode": "aggressive"}, {"strength": 0.9}),
    ("Repaint", {"mode": "conservative"}, {"strength": 0.9}),
    ("Repaint", MASKED, {"start": 0.5, "end": 4.0}),
    ("Lego", {}, {"keep_source": True}),
    ("Lego", OWN, {"track": "bass"}),
    ("Extract", OWN, {"track": "bass"}),
    ("Complete", OWN, {"fx": True}),
    ("Cover", {"cover_strength": 0.0}, {"quantize": False, "instruction": "Play it:"}),
    ("Morph", {"n_min": 0.5, "n_max": 0.5}, {"n_avg": 3}),
]


def prompt_of(kind: str, changes: Situation) -> Nodes:
    by = {"by.start": 2.0, "by.end": 3.0}
    part = node("RegionMask", source=["sound", 0], by="seconds", **by)
    return {**whole(kind, BASE, **changes), **({"part": part} if "mask" in changes else {})}


@pytest.mark.parametrize(("kind", "where", "unread"), CHANGES)
def test_what_a_task_does_not_read_changes_no_bit(
    run: Run, kind: str, where: Situation, unread: Situation
) -> None:
    one, other = (run(prompt_of(kind, {**where, **more})) for more in ({}, unread))
    assert torch.equal(made(one), made(other))
    (text,) = other.ui["task"]["ace_step_text"]
    assert [name for name in unread if f"`{name}`" not in text] == []


SEEDED: list[tuple[Situation, Situation]] = [
    ({"seeds": "7"}, {"seed": 9}),
    ({}, {"retake_variance": 0.7}),
    ({"retake_variance": 0.0}, {"retake_seed": 3}),
    ({}, {"preview_at": 2.0}),
]


@pytest.mark.parametrize(("where", "unread"), SEEDED)
def test_what_the_sampler_does_not_read_changes_no_bit(
    run: Run, where: Situation, unread: Situation
) -> None:
    one, other = (
        run({**whole("Extract", BASE), "music": sampler(**where, **more)}) for more in ({}, unread)
    )
    assert torch.equal(made(one), made(other))
    (name,) = unread
    assert f"`{name}` is not used" in other.ui["music"]["ace_step_text"][0]


def guided(run: Run, **widgets: Any) -> Outcome:
    usual = {"kind": "apg", "scale": 1.0, "start": 0.0, "end": 1.0}
    guidance = node("Guidance", **usual | widgets, norm_threshold=0.0, velocity_ema=0.0)
    music = sampler(guidance=["guidance", 0])
    return run({**whole("Extract", BASE), "guidance": guidance, "music": music})


def test_what_guidance_of_scale_1_does_not_read_changes_no_bit(run: Run) -> None:
    other = guided(run, kind="cfg", start=0.2, end=0.7)
    assert torch.equal(made(guided(run)), made(other))
    text = "`kind`, `start` and `end` are not used: scale 1 is off."
    assert other.ui["guidance"]["ace_step_text"] == [text]


def test_what_a_cold_language_model_does_not_read_changes_no_word(write: Run) -> None:
    unread = {"seed": 21, "top_p": 0.5, "top_k": 3, "min_p": 0.1}
    one, other = (write("made", 1, made=create(**COLD, **more)) for more in ({"seed": 0}, unread))
    assert value(one, "made", 2) == value(other, "made", 2)
    (text,) = other.ui["made"]["ace_step_text"]
    assert text.startswith("`seed`, `top_p`, `top_k` and `min_p` are not used")


def test_codes_at_cfg_1_read_no_negative_prompt(write: Run) -> None:
    one, other = (
        write("codes", 1, song=song(), codes=compose(cfg=1.0, negative_prompt=text))
        for text in ("", "noise")
    )
    assert value(one, "codes") == value(other, "codes")
    assert other.ui["codes"]["ace_step_text"] == ["`negative_prompt` is not used: cfg 1 is off."]


def test_a_song_that_nothing_is_asked_about_is_not_written(write: Run) -> None:
    think = node("Think", lm=["lm", 0], song=["song", 0], **OFF, **{"seed": 3, "temperature": 1.0})
    think["inputs"] |= {"top_p": 0.9, "top_k": 0, "min_p": 0.0, "repetition_penalty": 1.0}
    think["inputs"] |= {"constrained_decoding": True, "trace": False}
    outcome = write("think", 1, song=song(), think=think)
    assert value(outcome, "think", 2) == ""
    assert "the model writes nothing" in outcome.ui["think"]["ace_step_text"][0]


def test_the_mean_of_a_recording_needs_no_seed(run: Run) -> None:
    prompt: Nodes = {
        "vae": node("LoadVAE", file="ace_1.5_vae_miniature.safetensors", dtype="fp32"),
        "sound": {"class_type": "LoadAudio", "inputs": {"audio": "melody.wav"}},
    }
    for seed in (0, 5):
        links = {"vae": ["vae", 0], "audio": ["sound", 0]}
        prompt[f"latent{seed}"] = node("EncodeAudio", **links, posterior="mean", seed=seed)
        prompt[f"out{seed}"] = shown(f"latent{seed}", 0)
    outcome = run(prompt)
    assert torch.equal(made(outcome, "latent0"), made(outcome, "latent5"))
    assert outcome.ui["latent5"]["ace_step_text"] == ["`seed` is not used: the mean needs none."]
