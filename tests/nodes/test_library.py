"""One request through the nodes and through the library: the same latents."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from ace_core.inference import (
    AceStepHandler,
    GenerationConfig,
    GenerationParams,
    LLMHandler,
    generate_music,
)
from tests.loras import write_lora
from tests.nodes import music as rendered
from tests.nodes.lm_prompts import node, shown
from tests.nodes.task_prompts import BASE, SOURCE_SONG, TURBO, Nodes, loaders, sampler, task
from tests.rounding import assert_same
from tools.hosts.pack import Pack

pytestmark = pytest.mark.usefixtures("brief")

CONFIG = GenerationConfig(batch_size=1, use_random_seed=False, seeds=[5])
SONG: dict[str, Any] = {
    "caption": "calm piano",
    "lyrics": "[Verse]\nhello there",
    "seconds": 10.0,
    "bpm": 90,
    "key": "A minor",
    "time_signature": "3/4",
    "language": "en",
    "instrumental": False,
}
SAID: dict[str, Any] = {
    "caption": "calm piano",
    "lyrics": "[Verse]\nhello there",
    "bpm": 90,
    "keyscale": "Am",
    "timesignature": "3",
    "vocal_language": "en",
    "inference_steps": 3,
    "shift": 3.0,
}
REGION = {"start": 1.0, "end": 2.5}
PART = {"task_type": "repaint", "repainting_start": 1.0, "repainting_end": 2.5}
COVER = {"task_type": "cover"}
OLD_WORDS = {
    "flow_edit_morph": True,
    "flow_edit_source_caption": "loud rock band",
    "flow_edit_source_lyrics": "[Verse]\nhey you there",
}
TASKS: dict[str, tuple[str, dict[str, Any], dict[str, Any]]] = {  # node, widgets, parameters
    "cover": ("Cover", {"cover_strength": 0.5}, {**COVER, "audio_cover_strength": 0.5}),
    "cover from its source": (
        "Cover",
        {"source_strength": 0.3},
        {**COVER, "cover_noise_strength": 0.3},
    ),
    "remix": ("Cover", {"quantize": False}, {"task_type": "cover-nofsq"}),
    "audio to audio": (
        "AudioToAudio",
        {"ref_audio_strength": 0.4},
        {"audio2audio_enable": True, "ref_audio_strength": 0.4},
    ),
    "morph": ("Morph", {}, OLD_WORDS),
    "morph of codes": ("Morph", {"context": "codes"}, {**COVER, **OLD_WORDS}),
    "morph of the latent": (
        "Morph",
        {"context": "latent"},
        {**OLD_WORDS, "task_type": "cover-nofsq"},
    ),
    "repaint": ("Repaint", REGION, PART),
    "conservative repaint": (
        "Repaint",
        {**REGION, "mode": "conservative"},
        {**PART, "repaint_mode": "conservative"},
    ),
    "aggressive repaint": (
        "Repaint",
        {**REGION, "mode": "aggressive"},
        {**PART, "repaint_mode": "aggressive"},
    ),
    "repaint by strength": (
        "Repaint",
        {**REGION, "strength": 0.9},
        {**PART, "repaint_strength": 0.9},
    ),
    "lego": (
        "Lego",
        {"track": "guitar"},
        {
            "task_type": "lego",
            "instruction": "Generate the guitar track based on the audio context:",
        },
    ),
    "extract": (
        "Extract",
        {"track": "vocals"},
        {"task_type": "extract", "instruction": "Extract the vocals track from the audio:"},
    ),
    "complete": (
        "Complete",
        {},
        {"task_type": "complete", "instruction": "Complete the input track with drums, bass:"},
    ),
}
SAMPLINGS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # of the sampler, the parameters
    "retake": (
        {"retake_seed": 9, "retake_variance": 0.3},
        {"retake_seed": 9, "retake_variance": 0.3},
    ),
    "heun": ({"solver": "heun"}, {"sampler_mode": "heun", "dcw_enabled": False}),
    "sde": ({"solver": "sde"}, {"infer_method": "sde"}),
}


def schedule() -> dict[str, Any]:
    chosen = {"settings.steps": 3, "settings.shift": 3.0}
    return node("Schedule", model=["model", 0], settings="custom", **chosen)


def by_nodes(pack: Pack, nodes: Nodes) -> torch.Tensor:
    outcome = pack.host.run({**nodes, "times": schedule(), "out": shown("music", 1)})
    assert outcome.complete, outcome.why()
    return outcome.values["music"][0]["samples"].transpose(1, 2)


def handler(models: Path, file: str) -> AceStepHandler:
    made = AceStepHandler()
    status, ready = made.initialize_service(str(models), file, "cpu", dtype="fp32")
    assert ready, status
    return made


def by_library(
    models: Path, file: str, lm: LLMHandler | None = None, **changes: Any
) -> torch.Tensor:
    params = GenerationParams(**{**SAID, "thinking": lm is not None, **changes})
    result = generate_music(handler(models, file), lm, params, CONFIG)
    assert result.success, result.error
    return result.extra_outputs["latents"]


@pytest.mark.parametrize("case", TASKS)
def test_a_task_is_the_same_by_its_node_and_by_its_parameters(
    pack: Pack, models: Path, base_directory: Path, case: str
) -> None:
    path = rendered.write(base_directory / "input" / "melody.wav", 6.0)
    kind, widgets, given = TASKS[case]
    file = BASE if kind in ("Lego", "Extract", "Complete") else TURBO
    nodes = {**loaders(file), **task(kind, **widgets), "music": sampler()}
    nodes["song"] = node("Song", **SONG)
    if kind == "Morph":  # the recording's words differ alone
        nodes["source_song"] = node("Song", **{**SONG, **SOURCE_SONG})
    expected = by_nodes(pack, nodes)
    ours = by_library(models, file, src_audio=str(path), **given)
    assert_same(ours, expected)


@pytest.mark.parametrize("case", SAMPLINGS)
def test_a_song_is_sampled_alike_by_the_node_and_by_the_library(
    pack: Pack, models: Path, case: str
) -> None:
    widgets, given = (dict(each) for each in SAMPLINGS[case])
    links = {"text_encoder": ["text", 0], "vae": ["vae", 0], "song": ["song", 0]}
    nodes = {
        **loaders(TURBO),
        "song": node("Song", **SONG),
        "task": node("TextToMusic", **links, batch_size=1),
    }
    if solver := widgets.pop("solver", None):
        nodes["solver"] = node("Solver", solver=solver, dcw="off")
        widgets["solver"] = ["solver", 0]
    expected = by_nodes(pack, {**nodes, "music": sampler(**widgets)})
    assert_same(by_library(models, TURBO, duration=10.0, **given), expected)


CODES = "".join(f"<|audio_code_{index * 700}|>" for index in range(30))
WITH_CODES: list[tuple[dict[str, Any], dict[str, Any]]] = [  # the node's widgets, the parameters
    ({}, {}),
    ({"cover_strength": 0.5}, {"audio_cover_strength": 0.5}),
    ({"instruction": "Play it twice as sad:"}, {"instruction": "Play it twice as sad:"}),
    (
        {"cover_strength": 0.4, "instruction": "Play it twice as sad:"},
        {"audio_cover_strength": 0.4, "instruction": "Play it twice as sad:"},
    ),
]


@pytest.mark.parametrize(("widgets", "given"), WITH_CODES, ids=str)
def test_codes_are_followed_alike_by_the_node_and_by_the_library(
    pack: Pack, models: Path, widgets: dict[str, Any], given: dict[str, Any]
) -> None:
    links = {"text_encoder": ["text", 0], "vae": ["vae", 0], "song": ["song", 0]}
    nodes = {
        **loaders(TURBO),
        "song": node("Song", **SONG),
        "codes": node("TextToCodes", text=CODES),
        "task": node("TextToMusic", **links, batch_size=1, codes=["codes", 0], **widgets),
        "music": sampler(),
    }
    outcome = pack.host.run({**nodes, "times": schedule(), "out": shown("music", 1)})
    assert outcome.complete, outcome.why()
    latent, report = outcome.values["music"]
    params = GenerationParams(
        **{**SAID, "thinking": False, "audio_codes": CODES, "duration": 10.0, **given}
    )
    result = generate_music(handler(models, TURBO), None, params, CONFIG)
    assert result.success, result.error
    assert_same(result.extra_outputs["latents"], latent["samples"].transpose(1, 2))
    note = "The length of 10 seconds is not used: the codes play 6."
    assert note in report
    assert note in result.status_message


def test_a_cover_strength_without_codes_changes_nothing_and_is_said(pack: Pack) -> None:
    links = {"text_encoder": ["text", 0], "vae": ["vae", 0], "song": ["song", 0]}
    made, notes = [], []
    for widgets in ({}, {"cover_strength": 0.5}):
        nodes = {
            **loaders(TURBO),
            "song": node("Song", **SONG),
            "task": node("TextToMusic", **links, batch_size=1, **widgets),
            "music": sampler(),
        }
        outcome = pack.host.run({**nodes, "times": schedule(), "out": shown("music", 1)})
        made.append(outcome.values["music"][0]["samples"])
        notes.append(outcome.ui.get("task"))
    assert torch.equal(*made)
    note = "`cover_strength` is not used: no codes are connected."
    assert notes == [None, {"ace_step_text": [note]}]


def test_lyric_times_score_and_codes_are_those_of_the_nodes(
    pack: Pack, models: Path, base_directory: Path
) -> None:
    path = rendered.write(base_directory / "input" / "melody.wav", 6.0)
    links = {"text_encoder": ["text", 0], "vae": ["vae", 0], "song": ["song", 0]}
    finished = {"positive": ["task", 0], "latent": ["music", 0], "song": ["song", 0]}
    finished |= {"model": ["model", 0], "text_encoder": ["text", 0]}
    file = "qwen_1.7b_ace15_miniature.safetensors"
    nodes = {
        **loaders(TURBO),
        "lm": node("LoadLM", file=file, dtype="fp32"),
        "song": node("Song", **SONG),
        "task": node("TextToMusic", **links, batch_size=1),
        "times": schedule(),
        "music": sampler(),
        "lyrics": node("LyricTimes", **finished),
        "score": node("Score", **finished, lm=["lm", 0]),
        "sound": {"class_type": "LoadAudio", "inputs": {"audio": "melody.wav"}},
        "codes": node("EncodeCodes", model=["model", 0], vae=["vae", 0], audio=["sound", 0]),
        "text of codes": node("CodesToText", codes=["codes", 0], format="tokens"),
        "out": shown("lyrics", 1),
        "out 2": shown("score", 1),
        "out 3": shown("text of codes", 0),
    }
    outcome = pack.host.run(nodes)
    assert outcome.complete, outcome.why()
    dit, lm = handler(models, TURBO), LLMHandler()
    assert lm.initialize(str(models), file, device="cpu", dtype="fp32")[1]
    params = GenerationParams(**{**SAID, "duration": 10.0, "reuse_cot": True})
    config = replace(CONFIG, lyric_timestamps="lrc", score=True)
    result = generate_music(dit, lm, params, config)
    assert result.success, result.error
    (audio,) = result.audios
    assert audio["lyric_timestamps"]["text"] == outcome.values["lyrics"][1]
    (scores, _) = outcome.values["score"]
    assert audio["score"]["total"] == pytest.approx(scores[0].total, abs=1e-4)
    assert dit.convert_src_audio_to_codes(path) == outcome.values["text of codes"][0]


def test_a_planned_and_composed_song_is_the_same_by_nodes_and_by_the_library(
    pack: Pack, models: Path
) -> None:
    sampling = {"temperature": 0.85, "top_p": 0.9, "top_k": 0, "min_p": 0.0}
    sampling |= {"repetition_penalty": 1.0, "trace": False, "seed": 5}
    switches = {"metadata": True, "caption": True, "language": True, "constrained_decoding": True}
    nodes = {
        **loaders(TURBO),
        "lm": node("LoadLM", file="qwen_1.7b_ace15_miniature.safetensors", dtype="fp32"),
        "song": node("Song", **{**SONG, "bpm": 0, "key": "auto", "language": "auto"}),
        "plan": node("Think", lm=["lm", 0], song=["song", 0], **switches, **sampling),
        "codes": node(
            "ComposeCodes",
            lm=["lm", 0],
            song=["plan", 0],
            batch_size=1,
            cfg=2.0,
            negative_prompt="NO USER INPUT",
            legacy_prompt=False,
            chunk_size=8,
            **sampling,
        ),
        "task": node(
            "TextToMusic",
            text_encoder=["text", 0],
            vae=["vae", 0],
            song=["plan", 0],
            batch_size=1,
            codes=["codes", 0],
        ),
        "music": sampler(),
    }
    expected = by_nodes(pack, nodes)
    lm = LLMHandler()
    file = "qwen_1.7b_ace15_miniature.safetensors"
    status, ready = lm.initialize(str(models), file, device="cpu", dtype="fp32")
    assert ready, status
    given = {"duration": 10.0, "bpm": None, "keyscale": "", "vocal_language": "unknown"}
    ours = by_library(models, TURBO, lm, **given)
    assert_same(ours, expected)


def test_a_song_with_adapters_is_the_same_by_nodes_and_by_the_library(
    pack: Pack, models: Path, base_directory: Path
) -> None:
    path = rendered.write(base_directory / "input" / "melody.wav", 6.0)
    shapes = handler(models, TURBO).service.shapes
    for seed, name in ((3, "style"), (4, "voice")):
        write_lora(models / "loras" / f"{name}.safetensors", shapes, seed)
    nodes = {**loaders(TURBO), **task("Cover", cover_strength=0.5)}
    nodes["song"] = node("Song", **SONG)
    nodes["style"] = node("LoadLoRA", model=["model", 0], file="style.safetensors", strength=0.7)
    nodes["voice"] = node("LoadLoRA", model=["style", 0], file="voice.safetensors", strength=-1.0)
    expected = by_nodes(pack, {**nodes, "music": sampler(model=["voice", 0])})
    given: dict[str, Any] = {"task_type": "cover", "src_audio": str(path)}
    given["audio_cover_strength"] = 0.5
    ours = by_library(models, TURBO, lora=["style:0.7", "voice:-1"], **given)
    assert_same(ours, expected)
    assert (ours - by_library(models, TURBO, **given)).abs().max() > 1e-3
