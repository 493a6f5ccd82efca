"""Qwen3 against transformers' own, on the same small random weights."""

import importlib
from dataclasses import replace

import pytest
import torch
from torch import nn

from ace_core.errors import CheckpointError
from ace_core.models.kv_cache import KVCache, kv_cache_bytes
from ace_core.models.ops import Ops
from ace_core.models.qwen3 import Qwen3, Qwen3Config
from tests.float64 import in_float64
from tests.rounding import assert_same

# heads * head_dim (64) differs from hidden_size, as in the 0.6B and the 4B
SMALL = Qwen3Config(
    vocab_size=300, hidden_size=48, intermediate_size=80, layers=3, heads=4, kv_heads=2, head_dim=16
)


class InFloat64(nn.Module):
    """A model of transformers whose own upcasts to float32 are to float64."""

    def __init__(self, theirs: nn.Module) -> None:
        super().__init__()
        self.theirs = theirs

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        with in_float64():
            return self.theirs(ids).logits


@pytest.fixture(scope="module")
def model():
    ours = Qwen3(SMALL)
    generator = torch.Generator().manual_seed(1)
    for name, value in ours.named_parameters():
        if "norm" in name:  # ones in a fresh model, which would hide a norm that is left out
            value.data.uniform_(0.5, 1.5, generator=generator)
        else:
            value.data.normal_(0, 0.2, generator=generator)
    return ours.double().eval()


@pytest.fixture(scope="module")
def oracle(model):
    transformers = importlib.import_module("transformers")
    if not hasattr(transformers, "Qwen3Config"):
        pytest.skip(f"no oracle: transformers {transformers.__version__} has no Qwen3")
    with in_float64():
        theirs = transformers.Qwen3ForCausalLM(
            transformers.Qwen3Config(
                vocab_size=SMALL.vocab_size,
                hidden_size=SMALL.hidden_size,
                intermediate_size=SMALL.intermediate_size,
                num_hidden_layers=SMALL.layers,
                num_attention_heads=SMALL.heads,
                num_key_value_heads=SMALL.kv_heads,
                head_dim=SMALL.head_dim,
                rope_theta=SMALL.rope_theta,  # transformers 4
                rope_parameters={"rope_type": "default", "rope_theta": SMALL.rope_theta},  # 5
                rms_norm_eps=SMALL.norm_eps,
                tie_word_embeddings=True,
            )
        )
    weights = {f"model.{name}": value for name, value in model.state_dict().items()}
    theirs.load_state_dict({**weights, "lm_head.weight": weights["model.embed_tokens.weight"]})
    return InFloat64(theirs.double().eval())


@pytest.fixture(autouse=True)
def no_gradients():
    with torch.inference_mode():
        yield


def ids_of(length: int, seed: int = 0) -> torch.Tensor:
    generator = torch.Generator().manual_seed(seed)
    return torch.randint(0, SMALL.vocab_size, (1, length), generator=generator)


def logits(model: Qwen3, hidden: torch.Tensor) -> torch.Tensor:
    return hidden @ model.head_rows(range(SMALL.vocab_size), "cpu").T


def close(ours: torch.Tensor, theirs: torch.Tensor) -> None:
    assert theirs.abs().max() > 1
    assert_same(ours, theirs)


@pytest.mark.parametrize("length", [1, 2, 37])
def test_logits_of_a_whole_text_equal_transformers(model, oracle, length):
    ids = ids_of(length)
    close(logits(model, model(model.embed(ids))), oracle(ids))


def test_a_batch_of_texts_equals_transformers(model, oracle):
    ids = torch.cat([ids_of(21, seed) for seed in range(3)])
    close(logits(model, model(model.embed(ids))), oracle(ids))


def decode(model: Qwen3, texts: list[torch.Tensor], prompts: list[int]) -> list[torch.Tensor]:
    """Logits of each text's last tokens: `prompts` tokens first, the others one at a time."""
    steps = texts[0].shape[1] - prompts[0]
    cache = KVCache(SMALL, prompts, steps, like=model.embed_tokens.weight)
    first = []
    for row, (ids, prompt) in enumerate(zip(texts, prompts, strict=True)):
        first.append(model(model.embed(ids[:, :prompt]), cache.prefill([row]))[:, -1:])
    written = [torch.cat(first)]
    for step in range(steps):
        tokens = torch.cat([t[:, p + step] for t, p in zip(texts, prompts, strict=True)])
        written.append(model(model.embed(tokens[:, None]), cache))
    return list(logits(model, torch.cat(written, dim=1)))


def test_with_the_cache_logits_equal_transformers(model, oracle):
    ids = ids_of(30)
    (ours,) = decode(model, [ids], [12])
    close(ours, oracle(ids)[0, 11:])


def test_prompts_of_different_length_share_a_batch_and_equal_transformers(model, oracle):
    prompts = [5, 17, 1, 17]
    texts = [ids_of(prompt + 9, seed) for seed, prompt in enumerate(prompts)]
    together = decode(model, texts, prompts)
    for ours, ids, prompt in zip(together, texts, prompts, strict=True):
        close(ours, oracle(ids)[0, prompt - 1 :])


def test_a_prompt_run_once_serves_all_rows_that_share_it(model):
    ids = ids_of(8)
    cache = KVCache(SMALL, [8, 3, 8], steps=1, like=model.embed_tokens.weight)
    cache.keys.zero_()
    cache.values.zero_()
    model(model.embed(ids), cache.prefill([0, 2]))
    assert cache.keys[:, 0].abs().sum() > 0
    assert torch.equal(cache.keys[:, 0], cache.keys[:, 2])
    assert torch.equal(cache.values[:, 0], cache.values[:, 2])
    assert not cache.keys[:, 1].any()


def test_what_lies_before_a_row_starts_is_never_read(model):
    texts = [ids_of(10, 0), ids_of(6, 1)]
    plain = decode(model, texts, [6, 2])
    cache = KVCache(SMALL, [6, 2], steps=4, like=model.embed_tokens.weight)
    cache.keys[:, 1, :, :4] = float("nan")
    cache.values[:, 1, :, :4] = float("nan")
    for row, prompt in enumerate([6, 2]):
        model(model.embed(texts[row][:, :prompt]), cache.prefill([row]))
    step = model(model.embed(torch.cat([texts[0][:, 6:7], texts[1][:, 2:3]])), cache)
    close(logits(model, step)[1, 0], plain[1][1])


def test_neighbours_of_one_length_attend_together():
    cache = KVCache(SMALL, [5, 5, 2, 5], steps=1, like=torch.zeros(()))
    spans = [(rows.start, rows.stop, slots.start) for rows, slots in cache.spans]
    assert spans == [(0, 2, 0), (2, 3, 3), (3, 4, 0)]


def test_a_cache_takes_the_memory_it_says():
    cache = KVCache(SMALL, [5, 3], steps=7, like=torch.zeros((), dtype=torch.bfloat16))
    held = cache.keys.nbytes + cache.values.nbytes
    assert held == kv_cache_bytes(SMALL, rows=2, slots=12, element_bytes=2)


def test_sizes_are_read_from_the_shapes(model):
    shapes = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    assert Qwen3Config.from_shapes(shapes) == SMALL
    stated = {"rope_theta": 10_000, "rms_norm_eps": 1e-5}
    expected = replace(SMALL, rope_theta=10_000.0, norm_eps=1e-5)
    assert Qwen3Config.from_shapes(shapes, stated) == expected


def test_weights_of_something_else_are_refused_by_the_missing_name():
    with pytest.raises(CheckpointError, match=r"no tensor embed_tokens\.weight.*not a Qwen3"):
        Qwen3Config.from_shapes({"decoder.layers.0.weight": (3, 3)})


def test_the_rotation_base_and_the_norms_epsilon_are_used(model):
    ids = ids_of(9)
    for change in ({"rope_theta": 100.0}, {"norm_eps": 0.1}):
        other = Qwen3(replace(SMALL, **change)).double()
        other.load_state_dict(model.state_dict())
        assert not torch.allclose(other(other.embed(ids)), model(model.embed(ids)), atol=1e-2)


class ElsewhereEmbedding(nn.Embedding):
    """Stands for a host's layer: what it stores is not what it hands out."""

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        return super().forward(ids) * 2.0


class Elsewhere(nn.Module):
    Linear, RMSNorm, Embedding = nn.Linear, nn.RMSNorm, ElsewhereEmbedding


def test_head_rows_are_a_view_of_torchs_layer_and_asked_of_a_hosts(model):
    rows = range(40, 60)
    view = model.head_rows(rows, "cpu")
    assert view.data_ptr() == model.embed_tokens.weight[40].data_ptr()
    host = Qwen3(SMALL, Ops(Elsewhere)).double()
    host.load_state_dict(model.state_dict())
    assert torch.equal(host.head_rows(rows, "cpu"), view * 2.0)
    assert host.head_rows(rows, "cpu", torch.bfloat16).dtype == torch.bfloat16
