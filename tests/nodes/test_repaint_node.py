"""Repaint as a node: what it keeps bit for bit, and where it extends."""

from dataclasses import replace
from typing import Any

import pytest
import torch

from tests.nodes.lm_prompts import node, shown
from tests.nodes.task_prompts import (
    DEFAULTS,
    Run,
    made,
    sampler,
    whole,
)
from tests.nodes.without_host import core, core_song, host_task
from tests.rounding import assert_same
from tools.hosts.pack import Pack

SECONDS = 6.0


@pytest.mark.parametrize("mode", ["conservative", "balanced", "aggressive"])
def test_a_repaint_is_what_the_core_makes_without_a_host(pack: Pack, run: Run, mode: str) -> None:
    found = run(whole("Repaint", mode=mode, start=2.4, end=3.6))
    tasks, repaint = core(pack, "conditioning.tasks"), core(pack, "sampling.repaint")
    given = host_task(found).task
    song, text = found.values["song"][0], found.values["text"][0]
    length = tasks.Length(given.frames, SECONDS)
    keep = repaint.preservation(repaint.RepaintMode(mode), 0.5)
    task = replace(tasks.repaint(song, text, length, given.mask), source=given.source, keep=keep)
    assert_same(made(found), core_song(pack, found, task, seeds=(5,)))


@pytest.mark.parametrize(("mode", "blend"), [("conservative", 25), ("balanced", 12)])
def test_a_repaint_keeps_the_latent_outside_its_blend_bit_for_bit(
    run: Run, mode: str, blend: int
) -> None:
    found = run(whole("Repaint", mode=mode, start=2.4, end=3.6))
    done, given = made(found), host_task(found).task
    same = (done == given.source.transpose(1, 2)).all(dim=1)[0]
    assert same[: 60 - blend].all()
    assert same[90 + blend :].all()
    assert not same[60:90].any()
    assert given.source_use.value == "masked"


def test_the_sound_outside_the_splice_is_the_sources_bit_for_bit(run: Run) -> None:
    nodes = whole("Repaint", start=2.4, end=3.6)
    nodes["sounding"] = node("DecodeAudio", latent=["music", 0], vae=["vae", 0])
    nodes["out"] = shown("sounding", 0)
    found = run(nodes)
    assert found.complete, found.why()
    heard = found.values["sounding"][0]["waveform"]
    source = found.values["sound"][0]["waveform"]
    assert heard.shape[-1] == source.shape[-1] == 288_000
    fade = int(0.025 * 48_000)
    start, end = int(2.4 * 48_000), int(3.6 * 48_000)
    assert torch.equal(heard[..., : start - fade], source[..., : start - fade])
    assert torch.equal(heard[..., end + fade :], source[..., end + fade :])
    assert (heard[..., start:end] - source[..., start:end]).abs().max() > 1e-3


def test_an_aggressive_repaint_keeps_nothing(run: Run) -> None:
    found = run(whole("Repaint", mode="aggressive"))
    assert found.values["task"][2]["ace_step"]["splice"] is None
    source = host_task(found).task.source.transpose(1, 2)
    assert not (made(found) == source).all(dim=1).any()


@pytest.mark.parametrize(("start", "end", "frames"), [(-2.0, 0.5, 200), (5.0, 8.0, 200)])
def test_a_region_that_leaves_the_source_extends_it(
    run: Run, start: float, end: float, frames: int
) -> None:
    assert made(run(whole("Repaint", start=start, end=end))).shape[-1] == frames


def test_a_repaint_of_nothing_changes_nothing(run: Run) -> None:
    nodes = whole("Repaint", mode="conservative", mask=["empty", 0])
    nodes["empty"] = node("RegionMask", source=["sound", 0], by="mask", mask=["whole", 0])
    nodes["whole"] = {"class_type": "SolidMask", "inputs": {"value": 0.0, "width": 8, "height": 8}}
    nodes["sounding"] = node("DecodeAudio", latent=["music", 0], vae=["vae", 0])
    nodes["out"] = shown("sounding", 0)
    found = run(nodes)
    assert found.complete, found.why()
    given = host_task(found).task.source.transpose(1, 2)
    assert torch.equal(made(found), given)
    heard, source = (found.values[name][0]["waveform"] for name in ("sounding", "sound"))
    assert torch.equal(heard, source)


def repaint_of_a_take(**latent: object) -> dict[str, dict]:
    """A song, decoded, and repainted from its own latent or from `latent`."""
    nodes = whole("Repaint", start=2.0, end=3.0)
    del nodes["sound"], nodes["task"]
    links = {"text_encoder": ["text", 0], "vae": ["vae", 0], "song": ["song", 0], "batch_size": 1}
    nodes["first"] = node("TextToMusic", **links)
    first = {"positive": ["first", 0], "negative": ["first", 1], "latent": ["first", 2]}
    nodes["take"] = sampler(**first)
    nodes["heard"] = node("DecodeAudio", latent=["take", 0], vae=["vae", 0])
    region = {"source": ["heard", 0], **DEFAULTS["Repaint"], "start": 2.0, "end": 3.0}
    nodes["task"] = node("Repaint", **links, **region, **latent)
    return nodes


def encode_audio(source: str) -> dict[str, Any]:
    links = {"audio": [source, 0], "vae": ["vae", 0]}
    return node("EncodeAudio", **links, posterior="mean", seed=0)


def test_a_take_s_own_latent_is_kept_bit_for_bit_and_an_encoded_one_is_not(run: Run) -> None:
    direct = run(repaint_of_a_take(source_latent=["take", 0]))
    nodes = repaint_of_a_take(source_latent=["again", 0])
    nodes["again"] = encode_audio("heard")
    encoded = run(nodes)
    own = made(direct, "take")
    assert torch.equal(made(direct)[..., :30], own[..., :30])
    assert torch.equal(made(direct)[..., 100:], own[..., 100:])
    assert not torch.equal(made(direct)[..., 50:75], own[..., 50:75])
    assert (made(encoded)[..., :30] - own[..., :30]).norm() > 0.01 * own[..., :30].norm()


def test_a_take_brings_its_latent_with_its_sound(run: Run) -> None:
    direct = run(repaint_of_a_take(source_latent=["take", 0]))
    assert torch.equal(made(run(repaint_of_a_take())), made(direct))


@pytest.mark.parametrize(
    ("samples", "words"),
    [
        (torch.zeros(1, 64, 149), r"\[1, 149, 64\].*\[batch, 150, 64\]"),
        (torch.zeros(1, 32, 150), r"\[1, 32, 150\]"),
        (torch.full((1, 64, 150), torch.nan), "NaN"),
        (torch.zeros(2, 64, 150), "latents for 2 sources, but 1"),
    ],
    ids=["length", "channels", "nan", "count"],
)
def test_another_latent_is_refused_before_any_model(
    pack: Pack, run: Run, monkeypatch: pytest.MonkeyPatch, samples: torch.Tensor, words: str
) -> None:
    import comfy.model_management as management

    ready = run({**whole("Repaint"), "show": shown("vae", 0), "words": shown("text", 0)})
    links = {"text_encoder": "text", "vae": "vae", "song": "song", "source": "sound"}
    given = {name: ready.values[link][0] for name, link in links.items()}
    loaded: list[object] = []
    monkeypatch.setattr(management, "load_models_gpu", lambda *a, **_: loaded.append(a))
    with pytest.raises(Exception, match=words):
        pack.nodes["AceStep15Repaint"].execute(
            **given, batch_size=1, source_latent={"samples": samples}, **DEFAULTS["Repaint"]
        )
    assert loaded == []
