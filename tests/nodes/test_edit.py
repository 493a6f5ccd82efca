"""The tasks that start from a recording, as nodes on whichever host there is."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.nodes import music as rendered
from tests.nodes.editing import BASE, DEFAULTS, Nodes, advanced, loaders, sampler, task, whole
from tests.nodes.without_host import core, core_song
from tests.nodes.writing import node, shown
from tools.execute import Outcome
from tools.pack import Pack

SECONDS = 6.0
Run = Callable[[Nodes], Outcome]


@pytest.fixture(scope="module")
def run(pack: Pack, models: Path, base_directory: Path) -> Run:
    rendered.write(base_directory / "input" / "melody.wav", SECONDS)
    rendered.write(base_directory / "input" / "melody.flac", SECONDS, 44_100, 1)
    rendered.write(base_directory / "input" / "melody.mp3", SECONDS, 44_100)
    return pack.host.run


def made(outcome: Outcome, name: str = "music") -> torch.Tensor:
    assert outcome.complete, outcome.why()
    return outcome.values[name][0]["samples"].clone()


def complaint(outcome: Outcome) -> str:
    assert outcome.status == "error", (outcome.status, outcome.why())
    assert outcome.error is not None
    return outcome.error["exception_message"]


@pytest.mark.parametrize("kind", list(DEFAULTS))
def test_every_task_makes_a_song_as_long_as_its_source(run: Run, kind: str) -> None:
    found = run(whole(kind))
    assert made(found).shape == (1, 64, 150)
    assert made(found).isfinite().all()
    assert f"the task {kind.lower()}" in found.values["music"][1].lower() or kind in (
        "Cover",
        "Repaint",
    )


@pytest.mark.parametrize("kind", list(DEFAULTS))
def test_a_task_is_the_same_through_our_sampler_and_through_the_stock_one(
    run: Run, kind: str
) -> None:
    ours = made(run(whole(kind)))
    stock = made(run(advanced(kind)))
    assert (ours - stock).abs().max() < 1e-4


@pytest.mark.parametrize("file", ["melody.flac", "melody.mp3"])
def test_a_source_of_another_kind_is_heard(run: Run, file: str) -> None:
    nodes = {**loaders(), **task("Cover", file), "out": shown("task", 2)}
    samples = run(nodes).values["task"][2]["samples"]
    assert samples.shape[-1] in (150, 151)  # mp3 adds less than a frame
    assert samples.std() > 0.1


def test_cover_strength_one_and_zero_are_the_two_pure_branches(run: Run) -> None:
    covered = made(run(whole("Cover")))
    free = made(run(whole("Cover", cover_strength=0.0)))
    half = made(run(whole("Cover", cover_strength=0.5)))
    assert (covered - free).abs().max() > 0.01
    assert (half - free).abs().max() > 1e-3
    assert (half - covered).abs().max() > 1e-3


def test_the_cover_switch_is_the_cores_in_any_sampler(pack: Pack, run: Run) -> None:
    stock = {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}}
    ours = made(run(whole("Cover", cover_strength=0.5)))
    other = made(run(advanced("Cover", solver=stock, cover_strength=0.5)))
    assert (ours - other).abs().max() < 1e-4


def test_a_cover_with_the_free_text_only_is_text_to_music(run: Run) -> None:
    """At strength 0 neither the source nor its instruction is left."""
    nodes = whole("Cover", cover_strength=0.0)
    plain = whole("Cover")
    plain["task"]["inputs"]["instruction"] = (
        "Fill the audio semantic mask based on the given conditions:"
    )
    given = run({**plain, "out": shown("task", 0)}).values["task"][0]
    free = run({**nodes, "out": shown("task", 0)}).values["task"][0]
    handled = free[0][1]["ace_step"]["handling"]
    assert torch.equal(handled.free, given[0][0])


@pytest.mark.parametrize("quantize", [True, False])
def test_a_cover_is_what_the_core_makes_without_a_host(
    pack: Pack, run: Run, quantize: bool
) -> None:
    strengths = {"cover_strength": 0.5, "source_strength": 0.2}
    found = run(whole("Cover", quantize=quantize, **strengths))
    tasks = core(pack, "conditioning.tasks")
    song, text = found.values["song"][0], found.values["text"][0]
    latents = found.values["task"][0][0][1]["ace_step"]["source"]
    item = tasks.cover(song, text, tasks.Source(latents, SECONDS), quantize)
    free = tasks.uncovered(item, song, text, SECONDS)
    expected = core_song(pack, found, item, free, seeds=(5,), **strengths)
    assert (made(found) - expected).abs().max() < 1e-4


@pytest.mark.parametrize("mode", ["conservative", "balanced", "aggressive"])
def test_a_repaint_is_what_the_core_makes_without_a_host(pack: Pack, run: Run, mode: str) -> None:
    found = run(whole("Repaint", mode=mode, start=2.4, end=3.6))
    tasks, repaint = core(pack, "conditioning.tasks"), core(pack, "sampling.repaint")
    task = found.values["task"][0][0][1]["ace_step"]
    source = tasks.Source(task["source"], SECONDS)
    song, text = found.values["song"][0], found.values["text"][0]
    item = tasks.repaint(song, text, source, task["mask"])
    keep = repaint.preservation(repaint.RepaintMode(mode), 0.5)
    expected = core_song(pack, found, item, seeds=(5,), keep=keep)
    assert (made(found) - expected).abs().max() < 1e-4


def test_extract_and_complete_with_one_instruction_are_one_task(run: Run) -> None:
    words = "Extract the VOCALS track from the audio:"
    first = made(run(whole("Extract", BASE)))
    second = made(run(whole("Complete", BASE, instruction=words)))
    assert torch.equal(first, second)


def test_a_source_in_the_noise_leaves_fewer_steps_and_stays_nearer(run: Run) -> None:
    near = run(whole("Cover", source_strength=0.5))
    far = run(whole("Cover"))
    source = near.values["task"][2]["samples"]
    assert "steps: 2, at t = 0.5" in near.values["music"][1]
    assert (made(near) - source).norm() < (made(far) - source).norm()


@pytest.mark.parametrize(("mode", "blend"), [("conservative", 25), ("balanced", 12)])
def test_a_repaint_keeps_the_latent_outside_its_blend_bit_for_bit(
    run: Run, mode: str, blend: int
) -> None:
    found = run(whole("Repaint", mode=mode, start=2.4, end=3.6))
    done, given = made(found), found.values["task"][0][0][1]["ace_step"]
    same = (done == given["source"].transpose(1, 2)).all(dim=1)[0]
    assert same[: 60 - blend].all()
    assert same[90 + blend :].all()
    assert not same[60:90].any()
    assert given["hole"] is True


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
    source = found.values["task"][0][0][1]["ace_step"]["source"].transpose(1, 2)
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
    given = found.values["task"][0][0][1]["ace_step"]["source"].transpose(1, 2)
    assert torch.equal(made(found), given)
    heard, source = (found.values[name][0]["waveform"] for name in ("sounding", "sound"))
    assert torch.equal(heard, source)


def test_a_reference_changes_the_sound_and_two_differ_from_one(run: Run) -> None:
    nodes = whole("Cover")
    plain = made(run(nodes))
    nodes["one"] = node(
        "ReferenceAudio", positive=["task", 0], audio=["sound", 0], vae=["vae", 0], seed=1
    )
    nodes["music"] = sampler(positive=["one", 0])
    one = run(nodes)
    nodes["two"] = node(
        "ReferenceAudio", positive=["one", 0], audio=["sound", 0], vae=["vae", 0], seed=2
    )
    nodes["music"] = sampler(positive=["two", 0])
    two = run(nodes)
    assert one.values["one"][0][0][1]["ace_step"]["timbre"].shape == (1, 750, 64)
    assert two.values["two"][0][0][1]["ace_step"]["timbre"].shape == (2, 750, 64)
    assert (made(one) - plain).abs().max() > 1e-4
    assert (made(two) - made(one)).abs().max() > 1e-5


@pytest.mark.parametrize(
    ("by", "first", "behind"),
    [
        ({"by": "seconds", "by.start": 1.0, "by.end": 2.0}, 25, 50),
        ({"by": "seconds", "by.start": 4.0, "by.end": -1.0}, 100, 150),
        ({"by": "beats", "by.first_beat": 3, "by.beats": 4, "by.bpm": 120}, 25, 75),
        (
            {
                "by": "bars",
                "by.first_bar": 2,
                "by.bars": 1,
                "by.bpm": 120,
                "by.time_signature": "3/4",
            },
            37,
            75,
        ),
    ],
)
def test_a_region_becomes_a_mask_and_a_picture(
    run: Run, by: dict[str, Any], first: int, behind: int
) -> None:
    nodes = {
        "sound": task("Cover")["sound"],
        "where": node("RegionMask", source=["sound", 0], **by),
    }
    found = run({**nodes, "out": shown("where", 0)})
    mask, image = found.values["where"]
    expected = torch.zeros(150)
    expected[first:behind] = 1
    assert torch.equal(mask[0, 0], expected)
    assert image.shape == (1, 128, 768, 3)
    assert len(image[0, 0].unique(dim=0)) >= 2


def test_regions_add_up(run: Run) -> None:
    def part(start: float, end: float, **more: Any) -> dict[str, Any]:
        by = {"by": "seconds", "by.start": start, "by.end": end}
        return node("RegionMask", source=["sound", 0], **by, **more)

    nodes = {"sound": task("Cover")["sound"], "one": part(1.0, 2.0)}
    nodes["both"] = part(4.0, 5.0, mask=["one", 0])
    mask = run({**nodes, "out": shown("both", 0)}).values["both"][0]
    assert mask[0, 0].nonzero().flatten().tolist() == [*range(25, 50), *range(100, 125)]


def test_a_lego_plays_only_where_its_mask_says(run: Run) -> None:
    nodes = whole("Lego", BASE, mask=["where", 0])
    by = {"by": "seconds", "by.start": 1.0, "by.end": 2.0}
    nodes["where"] = node("RegionMask", source=["sound", 0], **by)
    given = run({**nodes, "out": shown("task", 0)}).values["task"][0][0][1]["ace_step"]
    assert given["mask"].sum() == 25
    assert given["hole"] is False
    nodes["task"]["inputs"]["keep_source"] = True
    found = run(nodes)
    source = found.values["task"][0][0][1]["ace_step"]["source"].transpose(1, 2)
    assert torch.equal(made(found)[..., 100:], source[..., 100:])


@pytest.mark.parametrize(
    ("kind", "changes", "said"),
    [
        ("Repaint", {"start": 3.0, "end": 2.0}, "not behind its start"),
        ("Repaint", {"start": 7.0, "end": 8.0}, "starts at 7 s"),
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
        ("Repaint", {"strength": 2.0}, "value_bigger_than_max"),
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
    with pytest.raises(Exception, match=said) as caught:
        execute(**loaded, source=source, batch_size=1, **DEFAULTS[kind])
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
