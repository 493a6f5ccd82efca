"""The root `__init__.py`: what a host imports, and what it is told when that fails."""

import asyncio
import logging
import shutil
import sys
from pathlib import Path

import pytest

from tools.hosts.checkout import ROOT
from tools.hosts.host import Host
from tools.hosts.pack import Pack, import_as_host


@pytest.fixture
def copy_of_entry(tmp_path: Path) -> Path:
    """A pack of the real entry point and a `nodes` package of the test's own."""
    root = tmp_path / "a-pack.with.dots"
    (root / "nodes").mkdir(parents=True)
    shutil.copy(ROOT / "__init__.py", root)
    (root / "nodes" / "__init__.py").touch()
    return root


def test_importing_the_pack_imports_nothing_of_it(copy_of_entry: Path) -> None:
    (copy_of_entry / "nodes" / "__init__.py").write_text("raise RuntimeError('imported')\n")
    module = import_as_host(copy_of_entry)
    below = [name for name in sys.modules if name.startswith(f"{module.__name__}.")]
    assert below == []


def test_a_pack_that_cannot_be_imported_leaves_its_traceback_in_the_log(
    copy_of_entry: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (copy_of_entry / "nodes" / "extension.py").write_text("import no_such_module_anywhere\n")
    module = import_as_host(copy_of_entry)
    with caplog.at_level(logging.ERROR), pytest.raises(ModuleNotFoundError):
        asyncio.run(module.comfy_entrypoint())
    assert "no_such_module_anywhere" in caplog.text
    assert "Traceback" in caplog.text


def test_the_pack_loads_whatever_its_folder_is_called(copy_of_entry: Path, host: Host) -> None:
    (copy_of_entry / "nodes" / "extension.py").write_text(
        "class AceStepExtension:\n    origin = __name__\n"
    )
    module = import_as_host(copy_of_entry)
    extension = asyncio.run(module.comfy_entrypoint())
    name = str(copy_of_entry).replace(".", "_x_")  # a dot would be a parent package
    assert extension.origin == f"{name}.nodes.extension"


def test_help_pages_are_served_from_a_folder_that_exists(pack: Pack) -> None:
    assert (ROOT / pack.module.WEB_DIRECTORY).is_dir()
    assert not hasattr(pack.module, "NODE_CLASS_MAPPINGS")  # it would hide the entry point


def test_the_pack_is_loaded_under_its_path_and_every_node_is_registered(pack: Pack) -> None:
    assert pack.module.__name__ == str(ROOT).replace(".", "_x_")
    assert pack.nodes
    assert all(pack.host.nodes[name] is node for name, node in pack.nodes.items())
    assert pack.submodule("ace_core.types").Song(seconds=30.0).seconds == 30.0


def test_a_package_that_is_too_old_is_said_in_one_line_when_the_pack_loads(
    pack: Pack, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setitem(pack.submodule("ace_core.versions").OLDEST, "torch", "999.9")

    async def load() -> None:
        extension = await pack.module.comfy_entrypoint()
        await extension.on_load()

    with caplog.at_level(logging.WARNING):
        asyncio.run(load())
    (said,) = [record.getMessage() for record in caplog.records]
    assert "(999.9 or newer is needed)" in said and "\n" not in said
