"""Audio previews in a real ComfyUI: its memory, its loaders, its server."""

import importlib
import io
import sys
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import soundfile
import torch

from tests.host.stock import dit_weights, stock_model, stock_vae
from tests.host.studio import SEED, Studio, open_studio
from tests.host.test_interrupt import long_song
from tests.rounding import assert_same
from tools.hosts.pack import Pack
from tools.hosts.progress import server_events
from tools.hosts.server import ComfyServer

FRAMES = (100, 150)
STEPS = 8
GIB = 2**30


@pytest.fixture(scope="module")
def studio(pack: Pack, models: Path) -> Studio:
    return open_studio(pack, models)


@pytest.fixture(autouse=True)
def page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A page is connected that would play them."""
    server = SimpleNamespace(client_id="a page", sockets={"a page": None})
    module = SimpleNamespace(PromptServer=SimpleNamespace(instance=server))
    monkeypatch.setitem(sys.modules, "server", module)


@dataclass
class PreviewedRun:
    """A run with a preview at every second step."""

    studio: Studio
    vae: Any
    model: Any = None
    excerpts: list[tuple[torch.Tensor, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.model = self.model or self.studio.model
        self.notices = self.studio.core("memory").Notices()
        given = (self.vae, 2, FRAMES, self.send, self.notices)
        self.preview = self.studio.host.AudioPreview(*given)

    def send(self, audio: torch.Tensor, step: int, steps: int) -> None:
        assert steps == STEPS
        self.excerpts.append((audio, step))

    @torch.inference_mode()
    def run(self, preview: bool = True) -> torch.Tensor:
        studio = self.studio
        batch = studio.host.Batch(
            model=self.model,
            positive=studio.positive,
            negative=studio.negative,
            latent=studio.canvas(),
            sigmas=studio.sigmas,
            recipe=studio.core("sampling.recipe").Recipe((SEED,)),
            guidance=None,
            sampler=studio.host.ace_solver(),
        )
        given = self.preview if preview else None
        return studio.host.sample(batch, None, given)["samples"].clone()


def manager() -> Any:
    return importlib.import_module("comfy.model_management")


def test_model_and_vae_come_in_one_request_and_nothing_moves_between_steps(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    previewed = PreviewedRun(studio, studio.vae)
    load, requests, loaded = manager().load_models_gpu, [], []

    def recorded(models: list[Any], *given: Any, **more: Any) -> None:
        requests.append(list(models))
        load(models, *given, **more)

    def send(*_: Any) -> None:
        loaded.append([each.model for each in manager().loaded_models()])

    monkeypatch.setattr(manager(), "load_models_gpu", recorded)
    previewed.preview.send = send
    previewed.run()
    assert requests == [[studio.model, studio.vae.patcher]]
    assert len(loaded) == STEPS / 2
    for models in loaded:
        assert studio.model.model in models
        assert studio.vae.patcher.model in models


def test_models_of_the_hosts_own_loaders_are_previewed_as_they_will_sound(studio: Studio) -> None:
    vae = stock_vae()
    previewed = PreviewedRun(studio, vae, stock_model(dit_weights()))
    made = previewed.run()
    assert [step for _, step in previewed.excerpts] == [2, 4, 6, 8]
    assert torch.equal(previewed.run(preview=False), made)
    audio, _ = previewed.excerpts[-1]
    with torch.inference_mode():
        whole = vae.first_stage_model.decode(made)[0]
    part = whole[:, FRAMES[0] * 1920 : FRAMES[1] * 1920]
    expected = studio.core("audio.loudness").at_loudness(part, 48_000, -23.0)
    assert_same(audio, expected)


def test_a_vae_that_cannot_compute_in_part_is_left_alone_when_it_lies_in_two_places(
    studio: Studio,
) -> None:
    vae = stock_vae()
    previewed = PreviewedRun(studio, vae)

    def send(*given: Any) -> None:
        previewed.excerpts.append(given[:2])
        vae.patcher.partially_unload(vae.patcher.offload_device, vae.patcher.model_size() / 2)

    previewed.preview.send = send
    made = previewed.run()
    assert len(previewed.excerpts) == 1
    assert previewed.notices.texts == [
        "The VAE was not loaded as a whole: there are no further previews."
    ]
    assert torch.equal(previewed.run(preview=False), made)


@pytest.mark.parametrize(
    ("free", "held", "dynamic", "previews"),
    [
        (6 * GIB, 0, False, True),
        (5 * GIB, 0, False, False),
        (3 * GIB, 3 * GIB, False, True),  # the manager can put other models away
        (1 * GIB, 0, True, True),  # loaded piece by piece, as it is needed
    ],
)
def test_there_are_no_previews_where_model_and_vae_do_not_fit_as_a_whole(
    studio: Studio,
    monkeypatch: pytest.MonkeyPatch,
    free: float,
    held: float,
    dynamic: bool,
    previews: bool,
) -> None:
    """Four GiB of both, a tenth more for safety, and one to compute in, on a pretended device."""
    place = torch.device("meta")

    def patcher(size: float) -> Any:
        known = {"model_size": lambda: size, "is_dynamic": lambda: dynamic}
        return SimpleNamespace(load_device=place, loaded_size=lambda: held, **known)

    monkeypatch.setattr(manager(), "get_free_memory", lambda *_: free)
    monkeypatch.setattr(manager(), "loaded_models", lambda: [patcher(held)])
    previewed = PreviewedRun(studio, studio.vae)
    monkeypatch.setattr(studio.vae, "device", place)
    monkeypatch.setattr(studio.vae, "patcher", patcher(GIB))
    previewed.preview.check_memory(patcher(3 * GIB), lambda: GIB)
    assert previewed.preview.ended is not previews
    assert (
        any("no room for the VAE" in notice for notice in previewed.notices.texts) is not previews
    )


def test_stop_works_while_the_excerpt_is_decoded(
    studio: Studio, monkeypatch: pytest.MonkeyPatch
) -> None:
    net = studio.core("models.vae").Oobleck
    decode = net.decode

    def pressed(vae: Any, latent: torch.Tensor) -> torch.Tensor:
        manager().interrupt_current_processing()
        return decode(vae, latent)

    monkeypatch.setattr(net, "decode", pressed)
    previewed = PreviewedRun(studio, studio.vae)
    with pytest.raises(manager().InterruptProcessingException):
        previewed.run()
    assert not previewed.excerpts
    assert not previewed.notices.texts


def test_the_page_that_pressed_run_gets_the_event_and_the_server_has_the_file(
    server: ComfyServer,
) -> None:
    prompt = long_song(4, seed=3)
    prompt["song"]["inputs"]["seconds"] = 10.0
    prompt["sample"]["inputs"] |= {"vae": ["vae", 0], "preview_every": 2, "preview_at": 3.0}
    mine: list[dict[str, Any]] = []
    others: list[dict[str, Any]] = []

    def into(events: list[dict[str, Any]]) -> Any:
        return lambda event, data: (
            events.append(data) if event == "acestep15.audio_preview" else None
        )

    with (
        server_events(server.port, "mine", into(mine)),
        server_events(server.port, "another", into(others)),
    ):
        answer = server.queue(prompt, client="mine")
        outcome = server.wait(answer["prompt_id"], {}, timeout=120)
    assert outcome.complete, outcome.why()
    assert others == []
    names = ("node", "step", "steps", "start", "end")
    when = [{name: event[name] for name in names} for event in mine]
    assert when == [
        {"node": "sample", "step": step, "steps": 4, "start": 3.0, "end": 5.0} for step in (2, 4)
    ]
    file = {name: mine[-1][name] for name in ("filename", "subfolder", "type")}
    samples, rate = soundfile.read(io.BytesIO(server.view(file)))
    assert (samples.shape, rate) == ((96_000, 2), 48_000)
    assert abs(samples).max() > 0
