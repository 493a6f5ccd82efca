"""Loads this repository as ComfyUI loads a custom node: by path, under that path as its name."""

import asyncio
import importlib
import importlib.util
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from tools.hosts import standin
from tools.hosts.checkout import ROOT
from tools.hosts.host import Host


@dataclass(frozen=True)
class Pack:
    """The loaded pack. Its `ace_core` is another than the one that `import ace_core` gives."""

    module: ModuleType
    nodes: dict[str, Any]  # node id -> class
    host: Host  # knows the pack's nodes

    def submodule(self, name: str) -> ModuleType:
        """`submodule("ace_core.types")` is the module that the nodes see."""
        return importlib.import_module(f"{self.module.__name__}.{name}")


def load_pack(host: Host, root: Path = ROOT) -> Pack:
    """Import the pack at `root`, call its entry point and register its nodes with `host`."""
    module = import_as_host(root)
    nodes = asyncio.run(_node_classes(module))
    host.nodes.update(nodes)
    return Pack(module, nodes, host)


@contextmanager
def pack_on_standin() -> Iterator[Pack]:
    """The pack loaded in the stand-in, for the tools that read its nodes' schemas."""
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "input").mkdir()  # LoadAudio lists its files
        standin.activate(Path(folder))
        from tools.hosts.standin.executor import StandinHost  # importable from here on

        yield load_pack(StandinHost())


def import_as_host(root: Path) -> ModuleType:
    """The package at `root` as a module whose name is its path."""
    name = str(root).replace(".", "_x_")
    spec = importlib.util.spec_from_file_location(name, root / "__init__.py")
    if spec is None or spec.loader is None:
        raise ImportError(f"{root} is not a package")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


async def _node_classes(module: ModuleType) -> dict[str, Any]:
    extension = await module.comfy_entrypoint()
    await extension.on_load()
    return {each.GET_SCHEMA().node_id: each for each in await extension.get_node_list()}
