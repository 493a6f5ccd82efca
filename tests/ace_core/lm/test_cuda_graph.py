"""Steps that are captured and replayed, against eager steps.

There is no CUDA here. The recorder below does what a CUDA graph does: it keeps the operations with
the memory they read and wrote, and a replay repeats them there, without the Python around them.
"""

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from ace_core.errors import InvalidRequestError
from ace_core.lm.cuda_graph import GraphedStep, Launch, cuda_graph_capture
from ace_core.lm.decoding import Request, decode, decode_bytes
from ace_core.lm.language_model import LanguageModel
from ace_core.lm.metadata import Metadata
from ace_core.lm.sampling import SamplingParams
from ace_core.models import kv_cache
from ace_core.models.kv_cache import KVCache, StaticKVCache
from tests.rounding import assert_same

CODES = 40


class Tape(TorchDispatchMode):
    """The operations of a launch and the memory of their results."""

    def __init__(self) -> None:
        if torch.__version__ < (2, 5):  # "Cannot set version_counter for inference tensor"
            pytest.skip(f"no recorder: torch {torch.__version__} notes no work in inference mode")
        super().__init__()
        self.lines: list[tuple[Any, Any, Any, Any]] = []

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        out = func(*args, **(kwargs or {}))
        self.lines.append((func, args, kwargs or {}, out))
        return out

    def play(self) -> None:
        for func, args, kwargs, out in self.lines:
            new = func(*args, **kwargs)
            for old, fresh in zip(_tensors(out), _tensors(new), strict=True):
                if old.data_ptr() != fresh.data_ptr():  # else a view, or written in place
                    old.copy_(fresh)


def _tensors(out: Any) -> list[torch.Tensor]:
    parts = out if isinstance(out, (tuple, list)) else [out]
    return [part for part in parts if isinstance(part, torch.Tensor) and part.numel()]


class Recorder:
    def __init__(self) -> None:
        self.recordings = self.replays = 0

    def __call__(self, launch: Launch) -> Launch:
        self.recordings += 1
        replay: GraphedStep = launch.__self__  # type: ignore[attr-defined]
        kept = replay.cache
        state = [kept.keys, kept.values, kept.slot, kept.positions, replay.hidden]
        before = [tensor.clone() for tensor in state]
        with Tape() as tape:
            launch()
        for tensor, old in zip(state, before, strict=True):
            tensor.copy_(old)  # capturing does not run the launch

        def again() -> None:
            self.replays += 1
            tape.play()

        return again


def codes_request(lm: LanguageModel, text: str, seed: int) -> Request:
    encode = lm.vocabulary.encode
    return Request(
        tuple(encode(text)), lm.grammar.codes(CODES), seed, CODES, tuple(encode("nothing"))
    )


@pytest.fixture
def recorder(lm, monkeypatch):
    monkeypatch.setattr(kv_cache, "BLOCK", 16)  # some blocks are filled within a short test
    monkeypatch.setattr(lm, "capture", Recorder())
    return lm.capture


@pytest.mark.parametrize("cfg_scale", [1.0, 3.0])
def test_replayed_steps_give_the_tokens_of_eager_steps(lm, recorder, cfg_scale):
    """Prompts of different lengths, several blocks, rows that attend to their own slots only."""
    requests = [
        codes_request(lm, "a short prompt", 1),
        codes_request(lm, "another one, somewhat longer", 2),
    ]
    params = SamplingParams(temperature=1.0, repetition_penalty=1.3)
    replayed = decode(lm, requests, params, cfg_scale)
    assert recorder.recordings == 4  # slots 28 to 66, in blocks that end at 32, 48, 64 and 80
    assert recorder.replays == CODES - 1 - recorder.recordings  # the last code needs no forward
    lm.capture = None
    assert replayed == decode(lm, requests, params, cfg_scale)
    assert len(set(replayed[0])) > 6


def test_text_is_decoded_from_graphs_too(lm, recorder):
    state = lm.grammar.block(Metadata(), skip=("genres",))
    request = Request(tuple(lm.vocabulary.encode("a song")), state, seed=4, max_tokens=120)
    replayed = decode(lm, [request], SamplingParams())
    assert recorder.replays > 20
    lm.capture = None
    assert replayed == decode(lm, [request], SamplingParams())


def test_hidden_states_of_a_replay_equal_those_of_an_eager_step(lm, recorder):
    """Equal up to rounding: masked slots take part in the sums as zeros."""
    table = lm.model.head_rows(range(50), "cpu")
    prompts = [torch.arange(9)[None], torch.arange(4)[None]]
    tokens = torch.randint(0, 50, (30, 2), generator=torch.Generator().manual_seed(0))
    fixed = StaticKVCache(lm.model.config, [9, 4], 30, like=table)
    plain = KVCache(lm.model.config, [9, 4], 30, like=table)
    with torch.inference_mode():
        for kept in (fixed, plain):
            for row, ids in enumerate(prompts):
                lm.model(lm.model.embed(ids), kept.prefill([row]))
        step = GraphedStep(lm.model, table, fixed, recorder)
        for index in tokens:
            run = lm.model(table[index][:, None], plain)[:, 0]
            assert_same(step(index), run)
    assert recorder.replays == 27


def test_memory_is_estimated_in_whole_blocks(lm, recorder):
    request = codes_request(lm, "x", 1)
    grown = replace(request, max_tokens=request.max_tokens + 1)
    assert decode_bytes(lm, [request]) == decode_bytes(lm, [grown])
    lm.capture = None
    assert decode_bytes(lm, [request]) < decode_bytes(lm, [grown])


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_a_device_without_cuda_graphs_is_refused(device):
    with pytest.raises(InvalidRequestError, match=f"computes on {device}.*Turn it off"):
        cuda_graph_capture(torch.device(device))
