"""`inspect FILE`: what a model file or folder is, from its headers alone, as JSON or as text."""

import argparse
from pathlib import Path
from typing import Any, Final

from ..inference.handlers import variant_advice
from ..weights import inspect
from ..weights.checkpoint import Checkpoint, Kind, Part
from ..weights.detect import merged_variants
from .options import check_there
from .output import Exit, Output, usage_errors

UNITS: Final = ("B", "kB", "MB", "GB")


def run(arguments: argparse.Namespace, output: Output) -> Exit:
    with usage_errors():
        check_there(arguments.file, folder=True)
    found = description(inspect(arguments.file))
    output.result(found, as_text(found))
    return Exit.DONE


def description(checkpoint: Checkpoint) -> dict[str, Any]:
    """Kinds, variant, layout, dtypes and sizes, ready for JSON."""
    return {
        "path": str(checkpoint.path),
        "layout": checkpoint.layout.value,
        "variant": None if checkpoint.variant is None else checkpoint.variant.value,
        "merge_of": [variant.value for variant in merged_variants(checkpoint.path)],
        "xl": checkpoint.xl,
        "bytes": sum(file.stat().st_size for file in checkpoint.files),
        "parts": [_part(checkpoint.parts[kind]) for kind in Kind if kind in checkpoint.parts],
    }


def _part(part: Part) -> dict[str, Any]:
    dtypes: dict[str, int] = {}  # parameters by dtype
    for entry in part.entries.values():
        name = str(entry.dtype).removeprefix("torch.")
        dtypes[name] = dtypes.get(name, 0) + entry.elements
    return {
        "kind": part.kind.value,
        "dtype": str(part.dtype).removeprefix("torch."),
        "dtypes": dtypes,
        "parameters": sum(dtypes.values()),
        "tensors": len(part.entries),
        "hidden_size": part.hidden_size,
        "spelling": part.spelling,
        "files": [file.name for file in part.files],
    }


def as_text(found: dict[str, Any]) -> str:
    """A description as lines of text."""
    lines = [found["path"], f"  layout   {found['layout']}", f"  size     {_size(found['bytes'])}"]
    if any(part["kind"] == Kind.DIT.value for part in found["parts"]):
        variant = found["variant"] or "neither in config nor in name"
        lines.append(f"  variant  {variant}{', XL' if found['xl'] else ''}")
        advice = variant_advice(Path(found["path"]))
        lines += [f"  merge    {advice}"] if advice else []
    for part in found["parts"]:
        hidden_size = f", hidden size {part['hidden_size']}" if part["hidden_size"] else ""
        spelling = f", keys of {part['spelling']}" if part["spelling"] else ""
        lines.append(
            f"  holds    {part['kind']}: {part['parameters']:,} parameters in {part['tensors']} "
            f"tensors{hidden_size}, {part['dtype']}{_others(part)}{spelling}"
        )
    return "\n".join(lines)


def _others(part: dict[str, Any]) -> str:
    rest = sorted(name for name in part["dtypes"] if name != part["dtype"])
    return f" (some {', '.join(rest)})" if rest else ""


def _size(count: float) -> str:
    for unit in UNITS[:-1]:
        if count < 1000:
            return f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} {UNITS[-1]}"
