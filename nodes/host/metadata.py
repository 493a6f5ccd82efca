"""What the host lets a file say about the graph that made it."""

import json
from typing import Any

import comfy.cli_args


def graph_tags(hidden: Any) -> dict[str, str]:
    """`prompt` and `workflow` as JSON, empty when ComfyUI was started with --disable-metadata."""
    if comfy.cli_args.args.disable_metadata:
        return {}
    found = {"prompt": hidden.prompt, **(hidden.extra_pnginfo or {})}
    return {name: json.dumps(value) for name, value in found.items() if value is not None}
