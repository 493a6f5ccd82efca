"""Quantised layers of a file: the format of each, and a refusal for loaders of plain weights.

The format is in a tensor of JSON beside the weight, in the file's header, or (the oldest fp8 files)
in one tensor for all layers. Such layers are computed by a host, not by this library.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

import torch

from ..errors import CheckpointError
from ..parsing import parse_json, quoted
from .checkpoint import WHERE_TO_LOOK, Checkpoint, Entry, Kind, Part
from .tensor_files import read_header, read_metadata, read_tensors

MARK: Final = ".comfy_quant"  # after a layer's name
METADATA_KEY: Final = "_quantization_metadata"  # in the header
OLD: Final = "scaled_fp8"  # one tensor for all layers with a `.scale_weight`
OLD_SCALE: Final = ".scale_weight"
LONGEST_MARK: Final = 100_000  # bytes
LONGEST_FORMAT: Final = 100  # characters of its name
KNOWN_TO: Final[Mapping[str, str]] = {  # the first ComfyUI that supports a format
    "float8_e4m3fn": "0.20.1",
    "float8_e5m2": "0.20.1",
    "nvfp4": "0.20.1",
    "mxfp8": "0.20.1",
    "int8_tensorwise": "0.33.0",
    "convrot_w4a4": "0.33.0",
    "asym_w4a8_int8": "0.33.0",
    "awq_w4a16": "0.38.1",
}
REQUIRED: Final[Mapping[str, tuple[str, ...]]] = {  # beside the weight; else its scale
    "nvfp4": ("weight_scale", "weight_scale_2"),
    "asym_w4a8_int8": ("weight_s_rel", "weight_s_channel"),
}
_PAIRED: Final = ("nvfp4", "convrot_w4a4", "asym_w4a8_int8", "awq_w4a16")  # two weights in a byte
_PLAIN: Final = (
    torch.float64,
    torch.float32,
    torch.float16,
    torch.bfloat16,
    torch.float8_e4m3fn,
    torch.float8_e5m2,
)
_SIGNS: Final = (  # endings of keys of quantised layers
    ".weight_scale",
    ".weight_scale_2",
    ".weight_scale_inv",
    ".scale_weight",
    ".weight.absmax",
    ".SCB",
)

Settings = Mapping[str, Any]  # `format`, and the parameters of that format


def quantised_layers(checkpoint: Checkpoint, kind: Kind) -> dict[str, Settings]:
    """The quantised layers of a model by official name; empty where its weights are plain.

    Raises:
        CheckpointError: what the file says cannot be read, a layer lacks a scale, or the format
            of a quantised layer is not stored.
    """
    part = checkpoint.part(kind)
    layers = dict(_from_metadata(part)) | dict(_from_old_mark(part)) | dict(_from_marks(part))
    for layer, settings in layers.items():
        _check_parts(part, layer, settings)
    odd = next(_unexplained(part, layers), None)
    if odd is not None:
        raise CheckpointError(
            f"{checkpoint.path}: its {kind.value} is quantised, but the file does not say in which "
            f"format: {odd}. Choose the file in bf16, or one that ComfyUI itself wrote. "
            f"{WHERE_TO_LOOK[kind]}"
        )
    return layers


def format_names(layers: Mapping[str, Settings]) -> str:
    """The names of the formats, for a message."""
    return " and ".join(sorted({repr(settings["format"]) for settings in layers.values()}))


def refuse_quantised(checkpoint: Checkpoint, kind: Kind) -> None:
    """Refuse quantised weights, for loaders that compute plain ones only.

    Raises:
        CheckpointError: the model is quantised; the message names the format.
    """
    layers = quantised_layers(checkpoint, kind)
    if not layers:
        return
    if kind is Kind.VAE:
        what = "A VAE is small and is computed whole: choose the file in bf16 or fp32."
    else:
        what = (
            "That is computed by ComfyUI's layers only: load it there, or choose the file in bf16 "
            'here, of which quantization="int8" holds the large weights in a byte each.'
        )
    raise CheckpointError(
        f"{checkpoint.path}: its {kind.value} is quantised as {format_names(layers)}. {what} "
        f"{WHERE_TO_LOOK[kind]}"
    )


def with_plain_shapes(part: Part, layers: Mapping[str, Settings]) -> Part:
    """The part with the shapes of the dequantised weights, without scales and marks."""
    kept = {}
    for name, entry in part.entries.items():
        layer, _, last = name.rpartition(".")
        if name != OLD and (layer not in layers or last in ("weight", "bias")):
            kept[name] = replace(entry, shape=_shape(name, entry, layers.get(layer, {})))
    return replace(part, entries=kept)


def _shape(name: str, entry: Entry, settings: Settings) -> tuple[int, ...]:
    if settings.get("format") in _PAIRED and name.endswith(".weight") and entry.shape:
        return (*entry.shape[:-1], 2 * entry.shape[-1])
    return entry.shape


def _from_marks(part: Part) -> Iterator[tuple[str, Settings]]:
    for name, entry in part.entries.items():
        if name.endswith(MARK):
            if entry.elements > LONGEST_MARK:
                raise CheckpointError(_unreadable(entry.file, f"{quoted(entry.key)} is too long"))
            tensor = read_tensors(entry.file, {"": entry.key})[""]
            if tensor.dtype is not torch.uint8:
                raise CheckpointError(
                    _unreadable(entry.file, f"{quoted(entry.key)} is {tensor.dtype}")
                )
            text = bytes(tensor.flatten().tolist())
            yield name.removesuffix(MARK), _settings(entry.file, entry.key, text)


def _from_metadata(part: Part) -> Iterator[tuple[str, Settings]]:
    names = {e.key.rpartition(".")[0]: n.rpartition(".")[0] for n, e in part.entries.items()}
    for file in part.files:
        note = read_metadata(file).get(METADATA_KEY)
        stored = {} if note is None else _table(file, METADATA_KEY, note).get("layers", {})
        if not isinstance(stored, dict):
            raise CheckpointError(_unreadable(file, f"the layers in {METADATA_KEY} are no table"))
        for layer, settings in stored.items():
            if layer in names:
                yield names[layer], _checked(file, layer, settings)


def _from_old_mark(part: Part) -> Iterator[tuple[str, Settings]]:
    """Formats of the oldest fp8 files, whose mark may lie above the prefix of the model's keys."""
    layers = [name.removesuffix(OLD_SCALE) for name in part.entries if name.endswith(OLD_SCALE)]
    if not layers:
        return
    exact = _is_exact(part)
    if exact is not None:
        settings = {"format": "float8_e4m3fn"}
        yield from ((layer, settings | {"full_precision_matrix_mult": exact}) for layer in layers)


def _is_exact(part: Part) -> bool | None:
    """Whether the old mark asks for matrix products in full precision; `None`: there is no mark."""
    for file in part.files:
        keys = [entry.key for entry in part.entries.values() if entry.file == file]
        for mark, entry in read_header(file).items():
            above, _, last = mark.rpartition(OLD)
            found = mark.endswith(OLD) and not last and above[-1:] in ("", ".")
            if found and any(key.startswith(above) for key in keys[:1]):
                return entry.elements == 2
    return None


def _settings(file: Any, key: str, text: bytes) -> Settings:
    return _checked(file, key, _table(file, key, text))


def _table(file: Any, where: str, text: str | bytes) -> dict[str, Any]:
    try:
        table = parse_json(text)
    except ValueError as error:
        raise CheckpointError(_unreadable(file, f"{quoted(where)} is no JSON ({error})")) from None
    if not isinstance(table, dict):
        raise CheckpointError(_unreadable(file, f"{quoted(where)} is no table"))
    return table


def _checked(file: Any, where: str, settings: Any) -> Settings:
    name = settings.get("format") if isinstance(settings, dict) else None
    if not isinstance(name, str) or len(name) > LONGEST_FORMAT:
        raise CheckpointError(
            _unreadable(file, f"{quoted(where)} names no format that can be known")
        )
    return settings


def _unreadable(file: Any, found: str) -> str:
    return (
        f"{file}: what this file says about its quantised layers cannot be read: {found}. Download "
        "it again, or choose the file in bf16."
    )


def _check_parts(part: Part, layer: str, settings: Settings) -> None:
    kind = settings["format"]
    if kind not in KNOWN_TO:
        return  # its parts are unknown; the loader refuses the format by name
    needed = REQUIRED.get(kind, ("weight_scale",))
    old = f"{layer}{OLD_SCALE}" in part.entries
    missing = [name for name in ("weight", *needed) if f"{layer}.{name}" not in part.entries]
    if missing and not (old and missing == ["weight_scale"]):
        raise CheckpointError(
            f"{part.files[0]}: the layer {quoted(layer)} is quantised as {kind!r}, but the file "
            "has no "
            f"{' and no '.join(missing)} for it. Download it again, or choose the file in bf16."
        )


def _unexplained(part: Part, layers: Mapping[str, Settings]) -> Iterator[str]:
    """Signs of quantisation at layers without a stored format."""
    for name, entry in part.entries.items():
        layer = name.rpartition(".")[0]
        if layer in layers or name.removesuffix(".absmax").rpartition(".")[0] in layers:
            continue
        if name.endswith(_SIGNS):
            yield f"it has {quoted(entry.key)}"
        elif name.endswith(".weight") and entry.dtype not in _PLAIN:
            yield f"{quoted(entry.key)} is in {str(entry.dtype).removeprefix('torch.')}"
