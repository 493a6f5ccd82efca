"""Fuzz target: whole model files with a few tensors of other shapes, types and names."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from hypothesis import example
from hypothesis import strategies as st
from safetensors.torch import load_file, save_file

from ace_core.errors import CheckpointError
from ace_core.weights import load_dit, load_lm, load_text_encoder, load_vae
from tests.fuzz.targets import TEXTS, VALUES, fuzz, refuses, table_of
from tools.miniature import miniature

FOLDER = Path(tempfile.mkdtemp(prefix="fuzz"))
MODELS = miniature(FOLDER)
LOADERS: dict[Path, Callable[[Path], Any]] = {
    MODELS.split_turbo: load_dit,
    MODELS.split_text_encoder: load_text_encoder,
    MODELS.split_vae: load_vae,
    MODELS.vae_folders / "autoencoder.safetensors": load_vae,
}
STATES = {path: load_file(path) for path in LOADERS}
DTYPES = [torch.float32, torch.bfloat16, torch.int8, torch.uint8, torch.bool, torch.complex64]
DTYPES += [torch.float8_e4m3fn, torch.float64]
SIZES = st.lists(st.sampled_from([0, 1, 2, 3, 8, 32]), max_size=4)
NAMES = TEXTS | st.sampled_from(["9" * 30, "-1", "weight", "weight_scale", "scaled_fp8", "absmax"])
FORMATS = st.sampled_from(["float8_e4m3fn", "int8_tensorwise", "nvfp4", "mxfp8", "other"])
MARKS = table_of({"format": FORMATS, "full_precision_matrix_mult": st.booleans()})
CHANGES = st.one_of(
    st.tuples(st.just("shape"), SIZES),
    st.tuples(st.just("dtype"), st.sampled_from(DTYPES)),
    st.tuples(st.just("drop"), st.none()),
    st.tuples(st.just("rename"), NAMES),
    st.tuples(st.just("fill"), st.sampled_from([0.0, float("nan"), float("inf")])),
    st.tuples(st.just("mark"), MARKS | VALUES),
)


def change(state: dict[str, torch.Tensor], key: str, kind: str, value: Any) -> None:
    tensor = state[key]
    if kind == "shape":
        state[key] = torch.ones(value, dtype=tensor.dtype)
    elif kind == "dtype":
        state[key] = tensor.to(value)
    elif kind == "drop":
        del state[key]
    elif kind == "rename":
        parts = key.split(".")
        parts[len(value) % len(parts)] = value
        state[".".join(parts)] = state.pop(key)
    elif kind == "fill":
        state[key] = tensor.to(torch.float32).fill_(value)
    else:
        layer = key.rpartition(".")[0]
        state[f"{layer}.comfy_quant"] = torch.tensor(list(json.dumps(value).encode())).byte()


@fuzz(
    st.sampled_from(sorted(STATES)).flatmap(
        lambda path: st.tuples(
            st.just(path),
            st.dictionaries(st.sampled_from(sorted(STATES[path])), CHANGES, max_size=3),
        )
    )
)
@example((MODELS.split_text_encoder, {"model.embed_tokens.weight": ("shape", [])}))
@example((MODELS.split_vae, {"decoder.layers.0.weight_g": ("shape", [1, 1, 1])}))
def test_model_files(changed: tuple[Path, dict[str, tuple[str, Any]]]) -> None:
    path, changes = changed
    state = dict(STATES[path])
    for key, (kind, value) in changes.items():
        change(state, key, kind, value)
    file = FOLDER / "changed.safetensors"
    writable = {key.encode(errors="replace").decode(): each for key, each in state.items()}
    save_file(writable, file)
    refuses(lambda: LOADERS[path](file), CheckpointError, names=file.name)
    refuses(lambda: load_lm(file), CheckpointError, names=file.name)
