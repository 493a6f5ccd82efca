"""Fuzz targets: headers and tensors of weight files, and the configs beside them."""

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import torch
from hypothesis import example
from hypothesis import strategies as st
from safetensors.torch import save

from ace_core.errors import CheckpointError
from ace_core.models.config import DiTConfig
from ace_core.models.qwen3 import Qwen3Config
from ace_core.models.vae import OobleckConfig
from ace_core.parsing import JSONError, parse_json
from ace_core.weights import inspect
from ace_core.weights.detect import variant_of
from ace_core.weights.lora import read_adapter
from ace_core.weights.name_patterns import compile_pattern
from ace_core.weights.oobleck import (
    fold_weight_norm,
    folded_shapes,
    from_stable_audio,
    shapes_from_stable_audio,
)
from ace_core.weights.tensor_files import (
    pickled_tensors,
    read_header,
    read_metadata,
    read_tensors,
)
from tests.fuzz.targets import SCALARS, TEXTS, VALUES, damaged, fuzz, refuses, table_of
from tests.gguf_files import PLAIN, gguf
from tests.toy import acestep

FOLDER = Path(tempfile.mkdtemp(prefix="fuzz"))
TOY_SHAPES = {name: tuple(each.shape) for name, each in acestep().state_dict().items()}
SIZES = st.integers(0, 9)
SHAPES = st.lists(SIZES, max_size=4)


@fuzz(st.binary(max_size=60) | VALUES.map(lambda value: json.dumps(value).encode()))
@example(b'"\xed\xa0\xbc"')
@example(b"[" * 50_000)
@example(b"9" * 5_000)
def test_json(content: bytes) -> None:
    refuses(lambda: parse_json(content, unique=True), JSONError)


def read_all(path: Path) -> None:
    refuses(lambda: read_metadata(path), CheckpointError, names=path.name)
    refuses(
        lambda: read_tensors(path, {key: key for key in read_header(path)}),
        CheckpointError,
        names=path.name,
    )
    refuses(lambda: inspect(path), CheckpointError, names=path.name)


ENTRY = table_of(
    {
        "dtype": st.sampled_from(["F32", "BF16", "F8_E4M3", "F4", "BOOL", "C64", "I64"]),
        "shape": SHAPES,
        "data_offsets": st.lists(st.integers(0, 64), min_size=2, max_size=2),
    }
)


@fuzz(
    st.dictionaries(TEXTS | st.just("__metadata__"), ENTRY | VALUES, max_size=3),
    st.binary(max_size=64),
)
@example({"a": {"dtype": ["F32"], "shape": [1], "data_offsets": [0, 4]}}, bytes(4))
@example({"a": {"dtype": "F32", "shape": [1], "data_offsets": ["0", "4"]}}, bytes(4))
@example({"a": {"dtype": "F32", "shape": [float("inf")], "data_offsets": [0, 4]}}, bytes(4))
@example({"__metadata__": [1]}, b"")
def test_safetensors_headers(header: dict[str, Any], data: bytes) -> None:
    text = json.dumps(header).encode()
    path = FOLDER / "header.safetensors"
    path.write_bytes(len(text).to_bytes(8, "little") + text + data)
    read_all(path)


GOOD = save({"a": torch.ones(3), "b": torch.zeros(2, 2).half()}, {"note": "x"})


@fuzz(damaged(GOOD) | st.binary(max_size=40))
def test_safetensors_bytes(content: bytes) -> None:
    path = FOLDER / "bytes.safetensors"
    path.write_bytes(content)
    read_all(path)


GGUF = gguf(
    {"a": torch.ones(3), "b": torch.zeros(2, 2).half(), "c": torch.ones(2, 32)},
    {"acestep.config_json": '{"is_turbo": true}', "tokens": ["a", "bc"], "general.alignment": 32},
    {"c": "Q8_0"},
)


@fuzz(damaged(GGUF) | st.binary(max_size=40).map(lambda rest: b"GGUF\3\0\0\0" + rest))
@example(GGUF[:8] + b"\xff" * 16 + GGUF[24:])
def test_gguf_bytes(content: bytes) -> None:
    path = FOLDER / "bytes.gguf"
    path.write_bytes(content)
    read_all(path)


@fuzz(st.dictionaries(st.sampled_from("abc"), SHAPES, max_size=3), st.sampled_from([*PLAIN, 8, 12]))
def test_gguf_shapes_and_types(shapes: dict[str, list[int]], kind: int) -> None:
    path = FOLDER / "shapes.gguf"
    path.write_bytes(gguf({key: torch.zeros(shape) for key, shape in shapes.items()}, as_type=kind))
    read_all(path)


def _saved(content: object) -> bytes:
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


PICKLED = [_saved(torch.zeros(1, 64, 5)), _saved({"a": torch.ones(3), "b": 1})]


@fuzz(st.sampled_from(PICKLED).flatmap(damaged) | st.binary(max_size=40))
def test_pickled_tensors(content: bytes) -> None:
    path = FOLDER / "silence_latent.pt"
    path.write_bytes(content)
    refuses(lambda: pickled_tensors(path), CheckpointError, names=path.name)


CONFIG = table_of(
    {
        "rope_theta": st.floats(1, 1e7),
        "rope_parameters": st.fixed_dictionaries({"rope_theta": SCALARS}),
        "rms_norm_eps": st.floats(0, 1),
        "sliding_window": st.integers(0, 200),
        "use_sliding_window": st.booleans(),
        "layer_types": st.lists(st.sampled_from(["full_attention", "sliding_attention"])),
        "fsq_input_levels": st.lists(st.integers(0, 9), max_size=7),
        "fsq_input_num_quantizers": st.just(1),
        "lyric_alignment_layers_config": st.dictionaries(TEXTS, st.lists(SCALARS, max_size=2)),
        "is_turbo": st.booleans(),
        "model_version": st.sampled_from(["turbo", "base", "sft"]),
    }
)


@fuzz(CONFIG)
def test_configs(config: dict[str, Any]) -> None:
    config = refuses(lambda: parse_json(json.dumps(config)), JSONError)
    if config is not None:
        refuses(lambda: DiTConfig.from_shapes(TOY_SHAPES, config), CheckpointError)
        refuses(lambda: variant_of(config, Path("turbo")), CheckpointError)
        qwen = dict.fromkeys(("embed_tokens.weight", *QWEN), (4, 4))
        qwen["layers.0.self_attn.q_norm.weight"] = (2,)
        refuses(lambda: Qwen3Config.from_shapes(qwen, config), CheckpointError)


QWEN = [
    f"layers.0.{name}.weight"
    for name in ("self_attn.q_proj", "self_attn.k_proj", "self_attn.q_norm", "mlp.gate_proj")
]


@fuzz(st.sampled_from(sorted(TOY_SHAPES)), SHAPES, st.sampled_from(QWEN), SHAPES)
def test_shapes_of_models(name: str, shape: list[int], qwen: str, other: list[int]) -> None:
    refuses(lambda: DiTConfig.from_shapes({**TOY_SHAPES, name: shape}), CheckpointError)
    shapes = {"embed_tokens.weight": (4, 4), **dict.fromkeys(QWEN, (4, 4))}
    refuses(lambda: Qwen3Config.from_shapes({**shapes, qwen: other}), CheckpointError)


@fuzz(st.text(max_size=30) | st.just("model.safetensors"), VALUES)
def test_indices_and_configs_of_folders(name: str, value: object) -> None:
    with tempfile.TemporaryDirectory(dir=FOLDER) as place:
        folder = Path(place)
        (folder / "model.safetensors").write_bytes(GOOD)
        index = value if name == "" else {"weight_map": {"a": name, "b": value}}
        (folder / "model.safetensors.index.json").write_text(json.dumps(index))
        refuses(lambda: inspect(folder), CheckpointError, names=place)
        (folder / "model.safetensors.index.json").unlink()
        (folder / "config.json").write_text(json.dumps(value))
        refuses(lambda: inspect(folder), CheckpointError, names=place)


NAME = "layers.0.self_attn.q_proj"
MODEL = {f"{NAME}.weight": (12, 8), "layers.0.conv.weight": (4, 3, 2)}
PARTS = (
    "lora_A.weight lora_B.weight lora_mid.weight alpha dora_scale lokr_w1 lokr_w1_a lokr_w1_b "
    "lokr_w2 lokr_w2_a lokr_w2_b lokr_t2 hada_w1_a hada_w1_b hada_w2_a hada_w2_b hada_t1 hada_t2"
).split()
FACTOR_SHAPES = st.lists(st.sampled_from([0, 1, 2, 3, 4, 6, 8, 12]), max_size=4)
DTYPES = st.sampled_from([torch.float32, torch.bfloat16, torch.int32, torch.bool, torch.complex64])
FACTORS = st.tuples(FACTOR_SHAPES, st.just(torch.float32) | DTYPES)
PATTERNS = st.dictionaries(st.text(r"ab.*+?()[]|\^$_q", max_size=9) | TEXTS, SCALARS, max_size=3)
ADAPTER = table_of(
    {
        "lora_alpha": st.integers(0, 64),
        "alpha": st.integers(0, 64),
        "r": st.integers(0, 64),
        "use_rslora": st.booleans(),
        "rank_pattern": PATTERNS,
        "alpha_pattern": PATTERNS,
    }
)


@fuzz(
    st.dictionaries(
        st.tuples(st.sampled_from([NAME, "layers.0.conv"]), st.sampled_from(PARTS)).map(".".join),
        FACTORS,
        min_size=1,
        max_size=5,
    ),
    ADAPTER | VALUES,
)
@example({f"{NAME}.lora_A.weight": ([2, 8], torch.float32)}, {})
@example({f"{NAME}.lokr_w1": ([], torch.float32), f"{NAME}.lokr_w2": ([12, 8], torch.float32)}, {})
def test_adapters(tensors: dict[str, tuple[list[int], torch.dtype]], config: object) -> None:
    with tempfile.TemporaryDirectory(dir=FOLDER) as place:
        made = {key: torch.ones(shape).to(dtype) for key, (shape, dtype) in tensors.items()}
        path = Path(place) / "adapter_model.safetensors"
        path.write_bytes(save(made))
        (Path(place) / "adapter_config.json").write_text(json.dumps(config))
        adapter = refuses(lambda: read_adapter(path, MODEL), CheckpointError)
        for name, delta in adapter.deltas.items() if adapter else ():
            weight = torch.ones(MODEL[f"{name}.weight"])
            assert delta.added(weight, 1.0).shape == weight.shape


@fuzz(st.text(r"ab.*+?()[]|\^$_-{}09", max_size=30) | TEXTS, st.text("ab._q09", max_size=60))
@example("(a+)+b", "a" * 60)
def test_name_patterns(pattern: str, name: str) -> None:
    compiled = refuses(lambda: compile_pattern(pattern), ValueError)
    if compiled is not None:
        compiled.ends(name)


WEIGHTS = st.tuples(
    st.sampled_from(["weight_g", "weight_v", "weight", "bias", "alpha"])
    | st.sampled_from([f"parametrizations.weight.original{i}" for i in (0, 1)]),
    SHAPES,
    DTYPES,
)
LAYERS = st.sampled_from(["a", "encoder.layers.0", "decoder.layers.1.layers.1"]) | TEXTS


@fuzz(st.lists(st.tuples(LAYERS, WEIGHTS), max_size=5))
@example(
    [("a", ("weight_g", [1, 1, 1], torch.float32)), ("a", ("weight_v", [9, 9, 9], torch.float32))]
)
def test_weight_norm(entries: list[tuple[str, tuple[str, list[int], torch.dtype]]]) -> None:
    state = {
        f"{layer}.{part}": torch.ones(shape).to(dtype) for layer, (part, shape, dtype) in entries
    }
    shapes = {name: tuple(tensor.shape) for name, tensor in state.items()}
    refuses(lambda: folded_shapes(shapes), CheckpointError)
    refuses(lambda: fold_weight_norm(state), CheckpointError)
    refuses(lambda: from_stable_audio(state), CheckpointError)
    refuses(lambda: OobleckConfig.from_shapes(shapes_from_stable_audio(shapes)), CheckpointError)
