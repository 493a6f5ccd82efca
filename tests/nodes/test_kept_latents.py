"""The latents of saved takes: a task starts from what was decoded, and never from what is stale."""

import logging
import os
import shutil
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import torch
from safetensors.torch import load_file, save_file

from tests.nodes.lm_prompts import node, shown, song
from tests.nodes.task_prompts import DEFAULTS, VAE_FILE, Nodes, Run, loaders, made, sampler, times
from tests.nodes.without_host import host_task
from tools.hosts.host import Outcome
from tools.hosts.pack import Pack

LINKS = {"text_encoder": ["text", 0], "vae": ["vae", 0], "song": ["song", 0], "batch_size": 1}
OTHER_VAE = "other_ace_1.5_vae.safetensors"


@pytest.fixture
def kept(pack: Pack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the latents, of this test alone."""
    folder = tmp_path / "latents"
    monkeypatch.setattr(pack.submodule("nodes.folders"), "kept_latents", lambda: folder)
    return folder


def take(batch: int = 1, seed: int = 5, **saving: Any) -> Nodes:
    """A song that is saved as a node called `save`."""
    first = {"positive": ["first", 0], "negative": ["first", 1], "latent": ["first", 2]}
    given = {"format": "flac24", "bitrate": "320", **saving}
    given |= {"filename_prefix": f"kept_{uuid4().hex[:8]}/take", "audio": ["heard", 0]}
    return {
        **loaders(),
        "song": song(),
        "first": node("TextToMusic", **LINKS | {"batch_size": batch}),
        "times": times(),
        "music": sampler(seed=seed, **first),
        "heard": node("DecodeAudio", latent=["music", 0], vae=["vae", 0]),
        "save": node("SaveAudio", **given),
    }


def files(outcome: Outcome, base_directory: Path) -> list[Path]:
    assert outcome.complete, outcome.why()
    saved = outcome.ui["save"]["audio"]
    return [base_directory / "output" / each["subfolder"] / each["filename"] for each in saved]


def start_from(file: Path, kind: str = "Cover", vae: str = VAE_FILE, **changes: Any) -> Nodes:
    """A task on a saved file, as the page names it, with the file's latent encoded beside it."""
    name = f"{file.parent.name}/{file.name} [{file.parent.parent.name}]"
    given = {**LINKS, "source": ["sound", 0], **DEFAULTS[kind], **changes}
    encoded = {"audio": ["sound", 0], "vae": ["vae", 0], "posterior": "mean", "seed": 0}
    return {
        **loaders(),
        "vae": node("LoadVAE", file=vae, dtype="fp32"),
        "song": song(),
        "sound": node("LoadRecording", audio=name),
        "task": node(kind, **given),
        "encoded": node("EncodeAudio", **encoded),
        "out": shown("task", 2),
        "beside": shown("encoded", 0),
    }


def source_of(outcome: Outcome) -> torch.Tensor:
    """What went into the task, [B, C, T]."""
    assert outcome.complete, outcome.why()
    return host_task(outcome).task.source.transpose(1, 2)


def encoded(outcome: Outcome) -> torch.Tensor:
    return made(outcome, "encoded")


@pytest.mark.parametrize("form", ["flac16", "flac24", "wav32f"])
@pytest.mark.parametrize("kind", ["Cover", "Repaint", "Extract"])
def test_a_task_starts_from_the_very_latent_that_was_decoded(
    run: Run, kept: Path, base_directory: Path, form: str, kind: str
) -> None:
    first = run(take(format=form))
    (file,) = files(first, base_directory)
    found = run(start_from(file, kind))
    assert torch.equal(source_of(found), made(first))
    assert not torch.equal(source_of(found), encoded(found))


def test_each_file_of_a_batch_has_its_own(run: Run, kept: Path, base_directory: Path) -> None:
    first = run(take(batch=2))
    for number, file in enumerate(files(first, base_directory)):
        assert torch.equal(source_of(run(start_from(file)))[0], made(first)[number])


def test_a_copy_under_another_name_has_it(run: Run, kept: Path, base_directory: Path) -> None:
    first = run(take())
    (file,) = files(first, base_directory)
    copy = base_directory / "input" / file.parent.name / "mine.flac"
    copy.parent.mkdir()
    shutil.copy(file, copy)
    assert torch.equal(source_of(run(start_from(copy))), made(first))


def test_a_file_that_was_replaced_is_encoded(run: Run, kept: Path, base_directory: Path) -> None:
    """Another take under the same name has its own latent; an edited one has none."""
    (file,), other = files(run(take()), base_directory), run(take(seed=6))
    shutil.copy(files(other, base_directory)[0], file)
    assert torch.equal(source_of(run(start_from(file))), made(other))
    content = bytearray(file.read_bytes())
    content[-2] ^= 1  # of the last frame's checksum: the sound is the same, the file is not
    edited = file.with_name("edited.flac")
    edited.write_bytes(content)
    found = run(start_from(edited))
    assert torch.equal(source_of(found), encoded(found))


def test_another_vae_encodes_the_file_itself(
    run: Run, kept: Path, base_directory: Path, models: Path
) -> None:
    weights = load_file(models / "vae" / VAE_FILE)
    last = sorted(weights)[-1]
    weights[last] = weights[last] * 1.01
    save_file(weights, models / "vae" / OTHER_VAE)
    (file,) = files(run(take()), base_directory)
    found = run(start_from(file, vae=OTHER_VAE))
    (models / "vae" / OTHER_VAE).unlink()
    assert torch.equal(source_of(found), encoded(found))


@pytest.mark.parametrize(
    "changed", [{"normalization": "peak", "normalization_db": -6.0}, {"fade_out_duration": 1.0}]
)
def test_a_take_at_another_level_has_none(
    run: Run, kept: Path, base_directory: Path, changed: dict[str, Any]
) -> None:
    (file,) = files(run(take(**changed)), base_directory)
    assert not kept.exists()
    found = run(start_from(file))
    assert torch.equal(source_of(found), encoded(found))


def test_sound_is_known_by_every_bit_and_by_its_rate(pack: Pack) -> None:
    of = pack.submodule("ace_core.audio.decoded")
    sound, latents = torch.rand(2, 2, 1920) - 0.5, torch.rand(2, 1, 64)
    origin = of.joined(
        [of.decoded(latents[:1], sound[:1], "x"), of.decoded(latents[1:], sound[1:], "x")]
    )
    assert torch.equal(origin.of_sound(sound.clone(), 48_000), latents)
    assert torch.equal(origin.of_sound(sound.flip(0), 48_000), latents.flip(0))
    assert torch.equal(origin.of_sound(sound[1:], 48_000), latents[1:])
    changed = sound.clone()
    changed[1, 1, 700] += 1e-7
    assert origin.of_sound(changed, 48_000) is None
    assert origin.of_sound(sound, 44_100) is None


def test_an_extended_take_is_encoded_and_a_region_inside_it_is_not(
    run: Run, kept: Path, base_directory: Path
) -> None:
    first = run(take())
    (file,) = files(first, base_directory)
    longer = run(start_from(file, "Repaint", start=8.0, end=12.0))
    assert source_of(longer).shape[-1] == 300
    inside = run(start_from(file, "Repaint", start=8.0, end=9.0))
    assert torch.equal(source_of(inside), made(first))


def test_a_damaged_one_is_named_and_not_used(
    run: Run, kept: Path, base_directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (file,) = files(run(take()), base_directory)
    (latents,) = kept.iterdir()
    latents.write_bytes(latents.read_bytes()[:-10])
    with caplog.at_level(logging.WARNING):
        found = run(start_from(file))
    assert torch.equal(source_of(found), encoded(found))
    assert latents.name in caplog.text


def test_a_take_is_saved_where_its_latent_cannot_be(
    run: Run, kept: Path, base_directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    kept.write_text("a file in the place of the folder")
    with caplog.at_level(logging.WARNING):
        (file,) = files(run(take()), base_directory)
    assert file.is_file()
    assert f"latents of {file.name} are not kept" in caplog.text


def test_those_that_were_not_used_for_longest_go_first(
    pack: Pack, kept: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module = pack.submodule("nodes.kept_latents")
    monkeypatch.setattr(module, "COUNT", 2)
    saved = [tmp_path / name for name in ("one", "two", "three")]
    for moment, file in enumerate(saved[:2], start=1):
        file.write_text(file.name)
        module.keep(file, torch.rand(3, 64), "vae")
        os.utime(kept / module._name(file), (moment, moment))
    assert module.find(saved[0]) is not None  # used: it counts as new
    saved[2].write_text("three")
    module.keep(saved[2], torch.rand(3, 64), "vae")
    assert [module.find(file) is not None for file in saved] == [True, False, True]


def test_the_folder_is_one_that_no_page_can_read(pack: Pack, base_directory: Path) -> None:
    folder = pack.submodule("nodes.folders").kept_latents()
    assert folder == base_directory / "user" / "__acestep15" / "latents"
