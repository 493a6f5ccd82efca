"""The language model inside a real ComfyUI: its memory, its interrupts, and its workflows."""

import io
import shutil
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
import torch

from tests.nodes.lm_prompts import LM_FILE, compose, load_lm, node, shown, song
from tools.hosts.host import Outcome, Prompt
from tools.hosts.pack import Pack
from tools.hosts.progress import progress_events
from tools.hosts.server import ComfyServer
from tools.workflows.prompts import read_prompt, with_input, with_miniature

SECONDS = 10.0


@pytest.fixture(scope="module")
def load(pack: Pack, models: Path) -> Any:
    """`load(dtype)` is a language model as the loader node hands it on."""
    host = pack.submodule("nodes.host")
    return lambda dtype="fp32": host.load_language_model(models / "text_encoders" / LM_FILE, dtype)


@pytest.fixture(scope="module")
def write(pack: Pack) -> Any:
    """`write(lm, count)` composes two variations, `count` codes each, as token tuples."""
    functions = pack.submodule("ace_core.lm.functions")
    plan = pack.submodule("ace_core.lm.plan").Plan
    metadata = pack.submodule("ace_core.lm.metadata").Metadata
    asked = pack.submodule("ace_core.types").Song("calm piano", "[Verse]\nla", SECONDS)

    def write(lm: Any, seeds: tuple[int, ...] = (1, 2), on_step: Any = None) -> list[Any]:
        plans = [plan(asked, metadata.of(asked))] * len(seeds)
        options = functions.CodesOptions(seeds=seeds, on_step=on_step)
        return [each.values for each in functions.compose_codes(lm, plans, options)]

    return write


def test_the_host_knows_the_model_and_its_size(load: Any, write: Any) -> None:
    import comfy.model_management as management

    lm = load()
    write(lm)
    assert lm.patcher in management.loaded_models()
    assert lm.patcher.loaded_size() == lm.patcher.model_size()
    assert lm.patcher.model_size() == sum(p.nbytes for p in lm.model.parameters())


def test_the_weights_are_the_files_own_until_they_are_cast(load: Any, models: Path) -> None:
    from comfy.model_management import is_device_cpu

    lm = load("bf16")
    assert is_device_cpu(lm.device)
    assert {p.dtype for p in lm.model.parameters()} == {torch.bfloat16}
    assert lm.dtype is torch.bfloat16
    assert load("fp32").dtype is torch.float32


def test_auto_computes_in_bf16_where_the_processor_has_instructions_for_it(load: Any) -> None:
    units = Path("/proc/cpuinfo").read_text().split()
    fast = "amx_tile" in units or "avx512_bf16" in units
    assert load("auto").dtype is (torch.bfloat16 if fast else torch.float32)


def test_a_long_run_packs_the_hosts_layers(
    load: Any, write: Any, pack: Pack, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Those that neither cast nor patch, as on a processor where that is faster."""
    packed = pack.submodule("ace_core.models.packed")
    if not packed.has_layout(torch.float32):
        pytest.skip("this torch has no layout of oneDNN's here")
    lm = load()
    plain = write(lm)
    for name in ("cpu_is_amd", "cpu_has_avx512"):
        monkeypatch.setattr(packed, name, lambda: True)
    for name in ("SMALLEST", "FEWEST_TOKENS"):
        monkeypatch.setattr(packed, name, 1)
    used: list[Any] = []
    own = packed.PackedWeight.__call__
    monkeypatch.setattr(
        packed.PackedWeight, "__call__", lambda each, x: used.append(each) or own(each, x)
    )
    assert write(lm) == plain
    layers = len(lm.plain_layers())
    assert layers == 7 * lm.model.config.layers and len(set(used)) == layers + 1
    for attribute, patched in (("comfy_cast_weights", True), ("weight_function", [abs])):
        monkeypatch.setattr(lm.plain_layers()[0], attribute, patched)
        layers -= 1
        assert len(lm.plain_layers()) == layers


def test_every_weight_lies_in_a_layer_that_follows_what_goes_in(load: Any) -> None:
    """Others would stay behind when the model is only partly on its device."""
    from comfy.ops import CastWeightBiasOp

    own = [m for m in load().model.modules() if list(m.parameters(recurse=False))]
    assert own
    assert [type(m) for m in own if not isinstance(m, CastWeightBiasOp)] == []


@pytest.mark.parametrize("dtype", ["fp32", "bf16"])
def test_a_partly_loaded_model_writes_the_same_tokens(
    pack: Pack, load: Any, write: Any, dtype: str
) -> None:
    lm = load(dtype)
    whole = write(lm)
    patcher = lm.patcher
    freed = patcher.partially_unload(patcher.offload_device, patcher.model_size() * 3 // 4)
    assert freed >= patcher.model_size() // 2
    assert lm.model.embed_tokens.comfy_cast_weights  # the largest goes first
    # the same model without a manager, which would load it whole again
    core = pack.submodule("ace_core.lm.language_model").LanguageModel
    partly = core(lm.model, lm.vocabulary.tokenizer, lm.device, lm.dtype)
    assert write(partly) == whole
    assert patcher.loaded_size() < patcher.model_size()


def test_cuda_graphs_are_used_only_while_the_whole_model_is_loaded(
    load: Any, write: Any, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    import comfy.model_management as management

    captures: list[str] = []

    def capture(step: Any) -> Any:
        captures.append("one")  # not the step, which would keep the model alive
        return step

    lm = load()
    plain = write(lm)
    lm.cuda_graphs = capture
    assert write(lm) == plain
    assert len(captures) == 1  # one block of slots
    lm.patcher.partially_unload(lm.patcher.offload_device, lm.patcher.model_size() // 2)
    monkeypatch.setattr(management, "load_models_gpu", lambda *_, **__: None)  # no room for all
    assert write(lm) == plain
    assert len(captures) == 1
    assert "does not fit as a whole" in caplog.text


def test_graphs_are_refused_where_there_are_none(pack: Pack, models: Path) -> None:
    errors = pack.submodule("ace_core.errors")
    path = models / "text_encoders" / LM_FILE
    with pytest.raises(errors.InvalidRequestError, match="`cuda_graphs` is on"):
        pack.submodule("nodes.host").load_language_model(path, "fp32", cuda_graphs=True)


def test_a_seed_decides_and_nothing_else(load: Any, write: Any) -> None:
    import comfy.model_management as management

    first = write(load())
    torch.manual_seed(99)
    management.unload_all_models()
    assert write(load()) == first
    assert write(load(), (3, 4)) != first


def test_stop_ends_the_run_within_one_token(pack: Pack, load: Any, write: Any) -> None:
    import comfy.model_management as management

    lm = load()
    token_progress = pack.submodule("nodes.host").token_progress(lm)
    written = 0

    def count(step: Any) -> None:
        nonlocal written
        token_progress(step)
        written += 1
        if written == 5:
            management.interrupt_current_processing()

    with pytest.raises(management.InterruptProcessingException):
        write(lm, on_step=count)
    assert written == 5
    assert not management.processing_interrupted()
    assert len(write(lm)[0]) == 5 * SECONDS


def test_without_a_tokenizer_of_its_own_the_hosts_is_read(pack: Pack, models: Path) -> None:
    file = models / "text_encoders" / "alone.safetensors"
    shutil.copy(file.with_name(LM_FILE), file)
    checkpoint = pack.submodule("ace_core.weights.detect").inspect(file)
    kind = pack.submodule("ace_core.weights.checkpoint").Kind.LM
    tokenizer = pack.submodule("nodes.host.qwen3").tokenizer_of(checkpoint, kind)
    assert tokenizer.size == 151_669
    assert tokenizer.token_id("</think>") == 151_668


def prompt_of(name: str) -> Prompt:
    prompt = with_input(with_miniature(read_prompt(name)), "dtype", "fp32")
    return with_input(prompt, "seconds", SECONDS) if "idea" in name or "full" in name else prompt


def done(server: ComfyServer, prompt: Prompt) -> Outcome:
    outcome = server.run(prompt)
    assert outcome.complete, outcome.why()
    return outcome


def texts(outcome: Outcome) -> list[str]:
    """What the Preview as Text nodes show, in the order of their ids."""
    shown_by = sorted((int(name), ui) for name, ui in outcome.ui.items() if "text" in ui)
    return [ui["text"][0] for _, ui in shown_by]


def sound_of(server: ComfyServer, outcome: Outcome) -> np.ndarray:
    (file,) = next(ui["audio"] for ui in outcome.ui.values() if "audio" in ui)
    samples, rate = soundfile.read(io.BytesIO(server.view(file)), dtype="float32")
    assert rate == 48_000
    assert np.isfinite(samples).all()
    assert np.abs(samples).max() > 0.001
    return samples


def test_an_idea_becomes_a_song(server: ComfyServer) -> None:
    outcome = done(server, prompt_of("song_from_idea"))
    (report,) = texts(outcome)
    for field in ("bpm: ", "caption: ", "duration: 10", "keyscale: ", "timesignature: "):
        assert field in report
    assert len(sound_of(server, outcome)) == SECONDS * 48_000


def test_another_tune_to_the_same_words(server: ComfyServer) -> None:
    """Only the seed of Compose Codes changes: the words stay, the sound does not."""
    prompt = prompt_of("song_from_idea")
    first = sound_of(server, done(server, prompt))
    composer = next(n for n in prompt.values() if n["class_type"] == "AceStep15ComposeCodes")
    composer["inputs"]["seed"] = 12
    second = done(server, prompt)
    classes = {prompt[name]["class_type"] for name in second.ran}
    assert "AceStep15CreateSample" not in classes
    assert np.abs(sound_of(server, second) - first).max() > 0.001


def test_a_full_song_is_planned_composed_and_played(server: ComfyServer) -> None:
    outcome = done(server, prompt_of("full_song_with_lyrics"))
    (report,) = texts(outcome)
    assert "duration: 10" in report
    assert "language: en" in report
    assert len(sound_of(server, outcome)) == SECONDS * 48_000


def test_a_recording_is_understood(server: ComfyServer) -> None:
    report, caption, lyrics, comparison = texts(done(server, prompt_of("understand_audio")))
    assert report.startswith("bpm: ")
    bpm = report.split("\n")[0].removeprefix("bpm: ")
    assert comparison.startswith(f"tempo: song {bpm} BPM, measured ")
    assert [line.split(":")[0] for line in comparison.split("\n")][1:] == ["key", "meter", "length"]
    assert f"caption: {caption}" in report
    assert lyrics in report


def test_a_prompt_is_polished(server: ComfyServer) -> None:
    caption, lyrics, report = texts(done(server, prompt_of("polish_prompt")))
    assert caption not in ("", "sad rock song, guitars")
    assert lyrics
    assert f"caption: {caption}" in report


def test_codes_are_cut_joined_kept_and_played(server: ComfyServer) -> None:
    outcome = done(server, prompt_of("codes_as_material"))
    (written,) = texts(outcome)
    codes = [int(code) for code in written.split(", ")]
    assert codes[19:29] == [41, 2600, 17, 3333, 41, 2600, 17, 9000, 12, 480]
    assert codes[:29] == codes[29:]  # two bars of 1.92 s and two typed seconds, twice
    assert len(sound_of(server, outcome)) == 11.6 * 48_000


def test_stop_ends_a_long_composition_at_once_and_leaves_a_working_server(
    server: ComfyServer,
) -> None:
    endless: Prompt = {
        "lm": load_lm(),
        "song": song(seconds=600.0),
        "codes": compose(batch_size=8),
        "text": node("CodesToText", codes=["codes", 0], format="numbers"),
        "out": shown("text", 0),
    }
    events: list[tuple[str, int, int]] = []
    begun = threading.Event()

    def on_progress(*event: Any) -> None:
        events.append(event)
        begun.set()

    with progress_events(server.port, "stopper", on_progress):
        prompt_id = server.queue(endless, client="stopper")["prompt_id"]
        assert begun.wait(60)
        server.interrupt()
        outcome = server.wait(prompt_id, {}, timeout=60)
    assert outcome.status == "interrupted"
    assert events[0][::2] == ("codes", 3000)
    assert events[-1][1] < 3000
    done(server, {**endless, "song": song(seconds=10.0), "codes": compose()})


@pytest.mark.parametrize(
    ("share", "places"), [(0.0, {"cpu"}), (1.0, {"cpu", "meta"}), (2.0, {"meta"})]
)
def test_everything_meets_on_the_device_however_little_is_loaded(
    load: Any, share: float, places: set[str]
) -> None:
    """`meta` stands for a GPU: what stayed behind and is used as it lies would be refused."""
    import comfy.model_patcher as manager

    model = load().model
    meta, rest = torch.device("meta"), torch.device("cpu")
    patcher = manager.ModelPatcher(model, load_device=meta, offload_device=rest)
    size = patcher.model_size()
    patcher.load(device_to=meta, lowvram_model_memory=max(int(size * share), 1))
    assert {p.device.type for p in model.parameters()} == places
    with torch.inference_mode():
        table = model.head_rows(range(5, 25), meta, torch.float32)
        ids = torch.zeros(1, 3, dtype=torch.long, device=meta)
        states = model(model.embed(ids, torch.float32))
    assert table.device == states.device == meta
    assert (table.shape, states.shape) == ((20, 32), (1, 3, 32))
