"""Two seconds of the song while it is made: what is sent, what is heard, and that it changes
nothing."""

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
    """What a connected page is told, beside texts."""
    told: list[tuple[str, dict[str, Any], str]] = []
    page = SimpleNamespace(
        client_id=CLIENT,
        sockets={CLIENT: None},
        send_sync=lambda *event: told.append(event),
        send_progress_text=lambda *_: None,
    )
    server = SimpleNamespace(PromptServer=SimpleNamespace(instance=page))
    monkeypatch.setitem(sys.modules, "server", server)
    return told


def heard(file: dict[str, Any], base_directory: Path) -> torch.Tensor:
    """The sound [2, N] that an event points to."""
    assert (file["type"], file["subfolder"]) == ("temp", "")
    samples, rate = soundfile.read(base_directory / "temp" / file["filename"], always_2d=True)
    assert rate == 48_000
    return torch.from_numpy(samples).T.float()


def stock(sampler: str, **changes: Any) -> dict[str, Any]:
    nodes = plain(solver=["solver", 0], **changes)
    select = {"class_type": "KSamplerSelect", "inputs": {"sampler_name": sampler}}
    return {**nodes, "solver": select}


def listening(nodes: dict[str, Any], every: int = 2, **more: Any) -> dict[str, Any]:
    wish = {"vae": ["vae", 0], "listen_every": every, **more}
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
def test_the_song_is_the_same_bit_for_bit_whether_it_was_heard_or_not(
    run: Run, sent: list[Any], nodes: dict[str, Any]
) -> None:
    unheard = made(run(nodes))
    assert not sent
    assert torch.equal(made(run(listening(nodes, 1))), unheard)
    assert len(sent) == STEPS


def test_every_so_many_steps_the_page_is_told_where_to_hear_which_two_seconds(
    run: Run, sent: list[Any], base_directory: Path
) -> None:
    outcome = run(listening(plain(seed=85)))
    assert outcome.complete, outcome.why()
    seconds = outcome.values["music"][0]["samples"].shape[-1] / 25
    middle = {"start": pytest.approx(seconds / 2 - 1, abs=0.04)}
    assert [(event, client) for event, _, client in sent] == [("acestep15.heard", CLIENT)] * 2
    for (_, told, _), step in zip(sent, (2, 4), strict=True):
        said = {name: told[name] for name in ("node", "step", "steps", "start")}
        assert said == {"node": "music", "step": step, "steps": STEPS, **middle}
        assert told["end"] - told["start"] == pytest.approx(2.0)
        sound = heard(told, base_directory)
        assert sound.shape == (2, 96_000)
        assert sound.abs().max() > 0
    assert sent[0][1]["filename"] != sent[1][1]["filename"]


def test_what_is_heard_at_the_last_step_is_that_part_of_the_song_at_broadcast_loudness(
    pack: Pack, run: Run, sent: list[Any], base_directory: Path
) -> None:
    nodes = listening(plain(batch=2, seed=86), STEPS, listen_at=1.0)
    nodes["sound"] = node("DecodeAudio", latent=["music", 0], vae=["vae", 0])
    nodes["show"] = {"class_type": "PreviewAny", "inputs": {"source": ["sound", 0]}}
    outcome = run(nodes)
    assert outcome.complete, outcome.why()
    ((_, told, _),) = sent
    assert (told["step"], told["start"], told["end"]) == (STEPS, 1.0, 3.0)
    part = outcome.values["sound"][0]["waveform"][0, :, 48_000 : 3 * 48_000]  # the first item
    core = pack.submodule("ace_core.audio.loudness")
    expected = core.at_loudness(part, 48_000, -23.0)
    sound = heard(told, base_directory)
    assert core.loudness(sound, 48_000) == pytest.approx(-23.0, abs=0.1)
    torch.testing.assert_close(sound, expected, atol=1e-4, rtol=0)  # 16 bits are 3e-5


def test_listening_without_a_vae_is_refused_before_the_model_is_asked(
    pack: Pack, run: Run, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = crowd(monkeypatch, pack.submodule("nodes.host.model").AceNet, "forward", lambda _: True)
    refused = complaint(run(plain(seed=87, listen_every=2)))
    assert "listen_every is 2, but no VAE is connected" in refused
    assert "the song is" in complaint(run(listening(plain(seed=87), listen_at=500.0)))
    assert not looks
    assert not sent


@pytest.mark.parametrize("every", [0, 5])
def test_off_or_beyond_the_last_step_nothing_is_heard(
    run: Run, sent: list[Any], every: int
) -> None:
    assert run(listening(plain(seed=88), every)).complete
    assert not sent


def test_nothing_is_decoded_when_nobody_is_there(
    pack: Pack, run: Run, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    vae = pack.submodule("ace_core.models.vae").Oobleck
    decoded = crowd(monkeypatch, vae, "decode", lambda _: True)
    page = sys.modules["server"].PromptServer.instance
    page.sockets = {"another page": None}
    assert run(listening(plain(seed=89), 1)).complete
    monkeypatch.delitem(sys.modules, "server")
    assert run(listening(plain(seed=90), 1)).complete
    assert not decoded
    assert not sent


def test_a_full_device_ends_the_listening_and_not_the_song(
    pack: Pack, run: Run, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    unheard = made(run(plain(seed=91)))
    vae = pack.submodule("ace_core.models.vae").Oobleck
    crowd(monkeypatch, vae, "decode", lambda _: False)
    outcome = run(listening(plain(seed=91), 1))
    assert torch.equal(made(outcome), unheard)
    assert outcome.values["music"][1].count("listening: Out of memory while listening") == 1
    assert not sent


def test_a_song_that_only_fits_without_the_vae_is_made_without_it(
    pack: Pack, run: Run, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    unheard = made(run(plain(seed=92)))
    management = importlib.import_module("comfy.model_management")
    load, beside = management.load_models_gpu, []

    def loads(models: list[Any], *given: Any, **more: Any) -> None:
        beside.append(len(models) > 1)
        load(models, *given, **more)

    monkeypatch.setattr(management, "load_models_gpu", loads)
    net = pack.submodule("nodes.host.model").AceNet
    crowd(monkeypatch, net, "forward", lambda _: not beside[-1])
    outcome = run(listening(plain(seed=92), 1))
    assert torch.equal(made(outcome), unheard)
    assert outcome.values["music"][1].count("listening: Out of memory: once more, without") == 1
    assert not sent


def test_a_file_that_cannot_be_written_ends_the_listening_and_not_the_song(
    run: Run, sent: list[Any], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    paths = importlib.import_module("folder_paths")
    monkeypatch.setattr(paths, "get_temp_directory", lambda: str(tmp_path / "file"))
    outcome = run(listening(plain(seed=93), 1))
    assert outcome.complete, outcome.why()
    assert outcome.values["music"][1].count("listening: The rest of the song is made unheard") == 1
    assert not sent


def test_the_first_song_is_heard_when_the_batch_is_made_in_groups(
    pack: Pack, run: Run, sent: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    net = pack.submodule("nodes.host.model").AceNet
    crowd(monkeypatch, net, "forward", lambda x: len(x) == 1)
    assert run(listening(plain(batch=3, seed=94))).complete
    assert [told["step"] for _, told, _ in sent] == [2, 4]
