"""The benchmarks run this host as it is: its loop of the language model, its tiles, its errors."""

import sys
from pathlib import Path

import pytest
import torch

from ace_core.lm.vocabulary import AUDIO_TOKENS
from ace_core.models.ops import Ops
from ace_core.models.qwen3 import Qwen3, Qwen3Config
from benchmarks.language_model_peers import CODES, host_loop
from benchmarks.real_size import randomized
from benchmarks.real_song import NODE_TILES

SIZE = Qwen3Config(
    vocab_size=CODES.start + AUDIO_TOKENS,
    hidden_size=16,
    intermediate_size=16,
    layers=2,
    heads=2,
    kv_heads=1,
    head_dim=128,
)


@pytest.mark.usefixtures("host")
def test_the_hosts_loop_is_stamped_once_a_code(checkout: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(sys, "path", list(sys.path))
    model = randomized(Qwen3(SIZE, Ops(device="meta")), torch.float32)
    assert isinstance(model, Qwen3)
    loop = host_loop(model, [5, 6, 7, 8], [9, 10], checkout)
    for count in (1, 4):
        stamps: list[int] = []
        written = loop.write(count, lambda stamps=stamps: stamps.append(len(stamps)))
        assert len(stamps) == count
        assert isinstance(written, list) and len(written) == count
        assert all(0 <= code < len(CODES) for code in written)
    assert loop.rows in (len(CODES), SIZE.vocab_size)


@pytest.mark.usefixtures("host")
def test_the_hosts_tiles_are_the_defaults_of_its_node():
    from comfy_extras.nodes_audio import VAEDecodeAudioTiled

    inputs = {each.id: each for each in VAEDecodeAudioTiled.define_schema().inputs}
    size, overlap = (inputs[name].default for name in ("tile_size", "overlap"))
    assert {"tile_x": size, "tile_y": size, "overlap": overlap} == NODE_TILES


@pytest.mark.usefixtures("host")
def test_the_host_does_not_turn_to_tiles_where_a_cpus_memory_ends():
    from comfy.model_management import raise_non_oom

    with pytest.raises(RuntimeError) as ended:
        torch.empty(2**60)
    with pytest.raises(RuntimeError):
        raise_non_oom(ended.value)
