"""Stand-in for `comfy_api.latest`: schemas, outputs and ui results, with the real names.

Not here: API nodes, node replacement, caching providers, lists, lazy inputs, expansion.
"""

from . import io, ui


class ComfyExtension:
    """What an entry point returns."""

    async def on_load(self) -> None:
        """Called once before the nodes are asked for."""

    async def get_node_list(self) -> list[type[io.ComfyNode]]:
        raise NotImplementedError


IO, UI = io, ui  # the second spelling of the same modules

__all__ = ["IO", "UI", "ComfyExtension", "io", "ui"]
