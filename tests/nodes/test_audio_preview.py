"""Audio previews: the events and files that are sent, and that the song stays the same."""

import importlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import soundfile
import torch

from tests.crowded import crowd
from tests.nodes import music as rendered
from tests.nodes.lm_prompts import complaint, node
from tests.nodes.test_guidance import Run, guided, made, plain, solved
from tools.hosts.pack import Pack

STEPS = 4
CLIENT = "page"


@pytest.fixture(scope="module")
def run(pack: Pack, models: Path, base_directory: Path) -> Run:
    rendered.write(base_directory / "input" / "melody.wav", 6.0)
    return pack.host.run


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, dict[str, Any], str]]:
    """The events that a connected page gets, beside texts."""
    events: list[tuple[str, dict[str, Any], str]] = []
    page = SimpleNamespace(
        client_id=CLIENT,
        sockets={CLIENT: None},
        send_sync=lambda *event: events.append(event),
        send_progress_text=lambda *_: None,
    )
    server = SimpleNamespace(PromptServer=SimpleNamespace(instance=page))
    monkeypatch.setitem(sys.modules, "server", server)
    return events


def sound_of(file: dict[str, Any], base_directory: Path) -> torch.Tensor:
    """The sound [2, N] that an event points to."""
    assert (file["type"], file["subfolder"]) == ("temp", "")
    samples, rate = soundfile.read(base_directory / "temp" / file["filename"], always_2d=True)
    assert rate == 48_000
    return torch.from_numpy(samples).T.float()


def stock(sampler: str, **changes: Any) -> dict[str, Any]:
    nodes = plain(solver=["solver", 0], **changes)
    select = {"class_type": "KSamplerSelect", "inputs": {"sampler_name": sampler}}
    return {**nodes, "solver": select}


def previewed(nodes: dict[str, Any], every: int = 2, **more: Any) -> dict[str, Any]:
    wish = {"vae": ["vae", 0], "preview_every": every, **more}
    return {**nodes, "music": {**nodes["music"], "inputs": {**nodes["music"]["inputs"], **wish}}}


@pytest.mark.parametrize(
    "nodes",
    [
        plain(seed=81),
        plain(batch=2, seed=82),
        guided("apg", seed=83),
        solved("sde", seed=84),
        stock("heun", seed=80),
    ],
    ids=["turbo", "batch", "guided", "sde", "stock"],
)
def test_the_song_is_the_same_bit_for_bit_with_previews_or_without(
    run: Run, sent: list[Any], nodes: dict[str, Any]
) -> None:
    without = made(run(nodes))
    assert not sent
    assert torch.equal(made(run(previewed(nodes, 1))), without)
    assert len(sent) == STEPS


def test_every_so_many_steps_the_page_gets_a_file_and_its_two_seconds(
    run: Run, sent: list[Any], base_directory: Path
) -> None:
    outcome = run(previewed(plain(seed=85)))
    assert outcome.complete, outcome.why()
    seconds = outcome.values["music"][0]["samples"].shape[-1] / 25
    middle = {"start": pytest.approx(seconds / 2 - 1, abs=0.04)}
    assert [(name, client) for name, _, client in sent] == [("acestep15.audio_preview", CLIENT)] * 2
    for (_, event, _), step in zip(sent, (2, 4), strict=True):
        said = {name: event[name] for name in ("node", "step", "steps", "start")}
        assert said == {"node": "music", "step": step, "steps": STEPS, **middle}
        assert event["end"] - event["start"] == pytest.approx(2.0)
        sound = sound_of(event, base_directory)
        assert sound.shape == (2, 96_000)
        assert sound.abs().max() > 0
    assert sent[0][1]["filename"] != sent[1][1]["filename"]


def test_the_preview_of_the_last_step_is_that_part_of_the_song_at_broadcast_loudness(
    pack: Pack, run: Run, sent: list[Any], base_directory: Path
) -> None:
    nodes = previewed(plain(batch=2, seed=86), STEPS, preview_at=1.0)
    nodes["sound"] = node("DecodeAudio", latent=["music", 0], vae=["vae", 0])
    nodes["show"] = {"class_type": "PreviewAny", "inputs": {"source": ["sound", 0]}}
    outcome = run(nodes)
    assert outcome.complete, outcome.why()
    ((_, event, _),) = sent
    assert (event["step"], event["start"], event["end"]) == (STEPS, 1.0, 3.0)
    part = outcome.values["sound"][0]["waveform"][0, :, 48_000 : 3 * 48_000]  # the first item
    core = pack.submodule("ace_core.audio.loudness")
    expected = core.at_loudness(part, 48_000, -23.0)
    sound = sound_of(event, base_directory)
    assert core.loudness(sound, 48_000) == pytest.approx(-23.0, abs=0.1)
    torch.testing.assert_close(sound, expected, atol=1e-4, rtol=0)  # 16 bits are 3e-5


def test_a_preview_without_a_vae_is_refused_before_the_model_runs(
    pack: Pack, run: Run, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    forwards = crowd(
        monkeypatch, pack.submodule("nodes.host.model").AceNet, "forward", lambda _: True
    )
    refused = complaint(run(plain(seed=87, preview_every=2)))
    assert "preview_every is 2, but no VAE is connected" in refused
    assert "the song is" in complaint(run(previewed(plain(seed=87), preview_at=500.0)))
    assert not forwards
    assert not sent


@pytest.mark.parametrize("every", [0, 5])
def test_off_or_beyond_the_last_step_there_is_no_preview(
    run: Run, sent: list[Any], every: int
) -> None:
    assert run(previewed(plain(seed=88), every)).complete
    assert not sent


def test_nothing_is_decoded_when_no_page_is_connected(
    pack: Pack, run: Run, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = pack.submodule("ace_core.models.vae").Oobleck
    decoded = crowd(monkeypatch, vae, "decode", lambda _: True)
    page = sys.modules["server"].PromptServer.instance
    page.sockets = {"another page": None}
    assert run(previewed(plain(seed=89), 1)).complete
    monkeypatch.delitem(sys.modules, "server")
    assert run(previewed(plain(seed=90), 1)).complete
    assert not decoded
    assert not sent


def test_a_full_device_ends_the_previews_and_not_the_song(
    pack: Pack, run: Run, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    without = made(run(plain(seed=91)))
    vae = pack.submodule("ace_core.models.vae").Oobleck
    crowd(monkeypatch, vae, "decode", lambda _: False)
    outcome = run(previewed(plain(seed=91), 1))
    assert torch.equal(made(outcome), without)
    assert outcome.values["music"][1].count("preview: Out of memory in a preview") == 1
    assert not sent


def test_a_song_that_only_fits_without_the_vae_is_made_without_it(
    pack: Pack, run: Run, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    without = made(run(plain(seed=92)))
    management = importlib.import_module("comfy.model_management")
    load, beside = management.load_models_gpu, []

    def loads(models: list[Any], *given: Any, **more: Any) -> None:
        beside.append(len(models) > 1)
        load(models, *given, **more)

    monkeypatch.setattr(management, "load_models_gpu", loads)
    net = pack.submodule("nodes.host.model").AceNet
    crowd(monkeypatch, net, "forward", lambda _: not beside[-1])
    outcome = run(previewed(plain(seed=92), 1))
    assert torch.equal(made(outcome), without)
    assert outcome.values["music"][1].count("preview: Out of memory: once more, without") == 1
    assert not sent


def test_a_file_that_cannot_be_written_ends_the_previews_and_not_the_song(
    run: Run, sent: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    paths = importlib.import_module("folder_paths")
    monkeypatch.setattr(paths, "get_temp_directory", lambda: str(tmp_path / "file"))
    outcome = run(previewed(plain(seed=93), 1))
    assert outcome.complete, outcome.why()
    assert outcome.values["music"][1].count("preview: There are no further previews") == 1
    assert not sent


def test_the_first_song_is_previewed_when_the_batch_is_made_in_microbatches(
    pack: Pack, run: Run, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    net = pack.submodule("nodes.host.model").AceNet
    crowd(monkeypatch, net, "forward", lambda x: len(x) == 1)
    assert run(previewed(plain(batch=3, seed=94))).complete
    assert [event["step"] for _, event, _ in sent] == [2, 4]


def test_a_run_leaves_no_more_previews_than_a_page_can_play(
    pack: Pack,
    run: Run,
    sent: list[Any],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    paths = importlib.import_module("folder_paths")
    monkeypatch.setattr(paths, "get_temp_directory", lambda: str(tmp_path))
    for seed in (95, 96):
        assert run(previewed(plain(seed=seed), 1)).complete
    kept = pack.submodule("nodes.temporary_files").NODE_PREVIEWS
    names = [event["filename"] for _, event, _ in sent]
    assert len(names) > kept
    assert {each.name for each in tmp_path.iterdir()} == set(names[-kept:])
