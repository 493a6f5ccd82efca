"""One request through the nodes and through the library: the same latents."""

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
from tests.nodes import music as rendered
from tests.nodes.lm_prompts import node, shown
from tests.nodes.task_prompts import BASE, TURBO, Nodes, loaders, sampler, task
from tests.rounding import assert_same
from tools.hosts.pack import Pack

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
TASKS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {  # the node's widgets, the parameters
    "Cover": ({"cover_strength": 0.5}, {"audio_cover_strength": 0.5}),
    "Repaint": (
        {"start": 1.0, "end": 2.5},
        {"repainting_start": 1.0, "repainting_end": 2.5},
    ),
    "Lego": (
        {"track": "guitar"},
        {"instruction": "Generate the guitar track based on the audio context:"},
    ),
    "Extract": (
        {"track": "vocals"},
        {"instruction": "Extract the vocals track from the audio:"},
    ),
    "Complete": ({}, {"instruction": "Complete the input track with drums, bass:"}),
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


@pytest.mark.parametrize("kind", TASKS)
def test_a_task_is_the_same_by_its_node_and_by_its_parameters(
    pack: Pack, models: Path, base_directory: Path, kind: str
) -> None:
    path = rendered.write(base_directory / "input" / "melody.wav", 6.0)
    widgets, given = TASKS[kind]
    file = TURBO if kind in ("Cover", "Repaint") else BASE
    nodes = {**loaders(file), **task(kind, **widgets), "music": sampler()}
    nodes["song"] = node("Song", **SONG)
    expected = by_nodes(pack, nodes)
    ours = by_library(models, file, task_type=kind.lower(), src_audio=str(path), **given)
    assert_same(ours, expected)


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
    made = []
    for widgets in ({}, {"cover_strength": 0.5}):
        nodes = {
            **loaders(TURBO),
            "song": node("Song", **SONG),
            "task": node("TextToMusic", **links, batch_size=1, **widgets),
            "music": sampler(),
        }
        outcome = pack.host.run({**nodes, "times": schedule(), "out": shown("music", 1)})
        made.append(outcome.values["music"])
    assert torch.equal(made[0][0]["samples"], made[1][0]["samples"])
    note = "cover_strength is not used: no codes are connected."
    assert [note in report for _, report in made] == [False, True]


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
