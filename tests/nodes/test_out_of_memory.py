"""Out-of-memory errors at every kind of work: the same song or one clear error, and then the song.

`OUT_OF_MEMORY=all` fails at every function of ours that a prompt comes to, not at these alone.
"""

import os
import re
import sys
from collections import Counter
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from tests.nodes.lm_prompts import compose, load_lm, node, shown, song, think
from tests.nodes.task_prompts import Nodes, Run, advanced, whole
from tests.nodes.test_guidance import guided
from tests.out_of_memory import Fault, Operations, on_a_gpu, on_the_cpu
from tests.rounding import assert_same
from tools.hosts.host import Outcome
from tools.hosts.pack import Pack

DECODE = node("DecodeAudio", latent=["music", 0], vae=["vae", 0])


def cover() -> Nodes:
    """Encodes audio, quantises it, samples, decodes, and aligns the lyrics."""
    links = {"model": ["model", 0], "text_encoder": ["text", 0], "song": ["song", 0]}
    times = node("LyricTimes", positive=["task", 0], latent=["music", 0], heads="", **links)
    nodes = whole("Cover") | {"sound_out": DECODE, "lyrics": times}
    return nodes | {"shown": shown("sound_out", 0), "shown_lyrics": shown("lyrics", 1)}


def by_stock_nodes() -> Nodes:
    """Our MODEL, VAE and CONDITIONING in the host's own sampler and decoder."""
    euler = {"class_type": "KSamplerSelect", "inputs": {"sampler_name": "euler"}}
    nodes = advanced("Repaint", solver=euler)
    decode = {
        "class_type": "VAEDecodeAudio",
        "inputs": {"samples": ["music", 0], "vae": ["vae", 0]},
    }
    return nodes | {"sound_out": decode, "shown": shown("sound_out", 0)}


def language_model() -> Nodes:
    codes = compose("thought", batch_size=2)
    return {
        "lm": load_lm(),
        "song": song(),
        "thought": think(metadata=False, caption=False, language=False),
        "codes": codes,
        "out": shown("codes", 0),
    }


def with_guidance() -> Nodes:
    return guided("apg") | {"sound_out": DECODE, "shown": shown("sound_out", 0)}


PROMPTS: dict[str, Callable[[], Nodes]] = {
    "cover": cover,
    "stock": by_stock_nodes,
    "guided": with_guidance,
    "lm": language_model,
}
KINDS = [  # prompt, function that fails, whether the song is made nevertheless
    ("cover", "ace_core/weights/load.py _load", False),  # loading
    ("cover", "ace_core/conditioning/text.py _embedded", False),  # text encoder
    ("cover", "ace_core/models/qwen3.py forward", False),
    ("cover", "ace_core/audio/tiling.py encode", True),  # VAE, in smaller tiles
    ("cover", "ace_core/audio/tiling.py _decoded", True),
    ("cover", "nodes/host/vae.py decode_tiled_1d", False),
    ("cover", "ace_core/conditioning/context.py quantize_source", False),
    ("cover", "ace_core/conditioning/context.py encode_conditions", False),
    ("cover", "ace_core/models/dit.py forward", False),  # a step of the sampler
    ("cover", "ace_core/sampling/solvers.py euler", False),
    ("cover", "ace_core/alignment/attention_maps.py lyric_attention_maps", False),
    ("stock", "ace_core/conditioning/context.py context", False),
    ("stock", "ace_core/models/dit.py _patchify", False),
    ("stock", "nodes/host/vae.py decode_tiled_1d", False),
    ("guided", "ace_core/models/dit.py _patchify", True),  # one condition after the other
    ("lm", "ace_core/lm/decoding.py prefill", False),
    ("lm", "ace_core/lm/decoding.py forward", False),
    ("lm", "ace_core/lm/sampling.py gumbel_max", False),
]
FAULTS = [on_a_gpu, on_the_cpu]
BY_OTHERS = "ace_core/weights/tensor_files.py <"  # in safetensors, which replaces the error


def made(outcome: Outcome) -> dict[str, Tensor]:
    """Every tensor that the prompt's nodes gave, and the audio codes."""
    found: dict[str, Tensor] = {}
    for name, values in sorted(outcome.values.items()):
        for slot, value in enumerate(values):
            for key, part in value.items() if isinstance(value, dict) else ():
                if isinstance(part, Tensor):
                    found[f"{name} {slot} {key}"] = part.clone()
            if name == "codes" and slot == 0:
                found[f"{name} {slot}"] = torch.tensor(
                    [list(each.values) for each in value], dtype=torch.float64
                )
    return found


def assert_same_song(outcome: Outcome, name: str) -> None:
    assert outcome.complete, outcome.why()
    found, expected = made(outcome), songs[name]
    assert found.keys() == expected.keys()
    for each in found:
        assert_same(found[each], expected[each])


songs: dict[str, dict[str, Tensor]] = {}  # what a prompt makes when there is memory, by its name
functions: dict[str, list[str]] = {}  # of ours, from which it calls torch


@pytest.fixture
def song_of(run: Run, pack: Pack) -> Callable[[str], Nodes]:
    def prompt(name: str) -> Nodes:
        nodes = PROMPTS[name]()
        if any(each["class_type"] not in pack.host.nodes for each in nodes.values()):
            nodes["sound_out"] = DECODE  # the stand-in has no decoder of its own
        if name not in songs:
            pack.host.forget()
            with Operations() as counted:
                outcome = run(nodes)
            assert outcome.complete, outcome.why()
            songs[name] = made(outcome)
            functions[name] = [each for each in counted.counted if each]
        return nodes

    return prompt


def fail(pack: Pack, nodes: Nodes, where: str, fault: Fault) -> Outcome:
    """What becomes of the prompt, run from its loaders on, when memory ends at `where`."""
    pack.host.forget()
    with Operations(where, fault) as operations:
        outcome = pack.host.run(nodes)
    assert operations.raised, f"{where} is never called"
    return outcome


def assert_clear(outcome: Outcome) -> None:
    """One error of ours: what needed the memory and what to do, before what torch said. A stock
    node that memory ends in, outside of our model, has ComfyUI's own."""
    assert outcome.status == "error"
    assert outcome.error is not None
    if outcome.error["exception_type"] == "torch.OutOfMemoryError":
        assert not outcome.error["node_type"].startswith("AceStep15"), outcome.why()
        assert "you ran out of memory" in outcome.error["exception_message"], outcome.why()
        return
    assert outcome.error["exception_type"].endswith(".NotEnoughMemoryError"), outcome.why()
    message = outcome.error["exception_message"].splitlines()[0]
    assert re.match(r"[A-Z][^(]*memory[^(]*\.", message), message


@pytest.mark.parametrize(
    ("name", "where", "made_nevertheless", "fault"),
    [(*kind, FAULTS[number % 2]) for number, kind in enumerate(KINDS)],
)
def test_the_song_or_one_clear_error_and_then_the_song(
    song_of: Callable[[str], Nodes],
    pack: Pack,
    name: str,
    where: str,
    made_nevertheless: bool,
    fault: Fault,
) -> None:
    nodes = song_of(name)
    outcome = fail(pack, nodes, where, fault)
    if made_nevertheless:
        assert_same_song(outcome, name)
    else:
        assert_clear(outcome)
    assert_same_song(pack.host.run(nodes), name)


@pytest.mark.skipif(os.environ.get("OUT_OF_MEMORY") != "all", reason="minutes; make out-of-memory")
@pytest.mark.parametrize("name", PROMPTS)
def test_at_every_function_of_ours_that_a_prompt_comes_to(
    song_of: Callable[[str], Nodes], pack: Pack, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    nodes, kinds = song_of(name), Counter[str]()
    for where in functions[name]:
        if where.startswith(BY_OTHERS):
            continue
        pack.host.forget()
        with Operations(where) as operations:
            outcome = pack.host.run(nodes)
        if not operations.raised:  # what is done once: a source's file
            continue
        kinds[outcome.status] += 1
        if outcome.complete:
            assert_same_song(outcome, name)
        else:
            assert_clear(outcome)
        assert_same_song(pack.host.run(nodes), name)
    with capsys.disabled():
        sys.stdout.write(f"\n{name}: {dict(kinds)} of {len(functions[name])} functions\n")
