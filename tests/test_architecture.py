"""The import rules of ARCHITECTURE.md, read from the source without running it."""

import ast
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
CORE = ROOT / "ace_core"
FACE = ROOT / "nodes"
TOOLS = ROOT / "tools"
STAGES = {  # whom each stage may import besides itself
    "base": set(),
    "models": {"base"},
    "weights": {"base", "models"},
    "conditioning": {"base", "models"},
    "sampling": {"base"},
    "alignment": {"base", "models", "conditioning"},
    "audio": {"base"},
    "measure": {"base", "audio"},
    "lm": {"base", "models"},
    "pipeline": {*"base models weights conditioning alignment sampling audio lm".split()},
    "inference": {
        *"base models weights conditioning alignment sampling audio measure lm pipeline".split()
    },
}
STAGES["batch"] = {"base", "weights", "inference"}
STAGES["cli"] = STAGES["batch"] | {"batch", "audio", "measure"}
FILES = {"pipeline": "pipeline", "sources": "pipeline", "__main__": "cli"}  # not base
HOST = {"comfy", "comfy_api", "comfy_extras", "folder_paths", "latent_preview", "node_helpers"}
HOST |= {"nodes", "server", "execution"}
NO_FILES = {"models", "conditioning", "sampling"}  # these stages hold no file formats
FACE_MAY = {"torch", "comfy_api.latest", "ace_core", "nodes"}
TOOL_FOLDERS = {  # whom each folder of tools may import besides itself
    "hosts": set(),
    "measure": set(),
    "miniature": set(),
    "workflows": {"hosts"},
    "browser": {"hosts", "miniature", "workflows"},
    "docs": {"hosts", "measure", "miniature", "workflows", "browser"},
    "testing": {"hosts", "miniature", "browser", "workflows"},
}
PATHS = FACE / "folders.py"  # the one file of the face that asks the host where models lie


def sources(folder: Path) -> list[Path]:
    return sorted(folder.rglob("*.py"))


@cache
def imports(path: Path) -> tuple[str, ...]:
    """Dotted names that `path` imports, relative ones resolved from the repository's root."""
    package, found = path.relative_to(ROOT).parent.parts, []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else ()
            module = (*base, *(node.module or "").split(".")) if node.module else base
            found += [".".join((*module, alias.name)) for alias in node.names]
    return tuple(found)


def stage_of(parts: tuple[str, ...]) -> str:
    """The stage of `ace_core.<parts>`: a folder, the pipeline, or a file of the base."""
    if not parts or not (CORE / parts[0]).is_dir():
        return FILES.get(".".join(parts[:1]), "base")
    return parts[0]


def stage_of_file(path: Path) -> str:
    return stage_of(path.relative_to(CORE).with_suffix("").parts)


def within(name: str, packages: set[str]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def third_party(name: str) -> bool:
    return name.split(".")[0] not in sys.stdlib_module_names


def named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def offences(paths: list[Path], refuses: Callable[[Path, str], bool]) -> list[str]:
    """`file: import` for each import that `refuses(path, name)`."""
    return [f"{named(p)}: {name}" for p in paths for name in imports(p) if refuses(p, name)]


def test_every_folder_of_the_core_is_a_stage_with_a_rule():
    folders = {path.name for path in CORE.iterdir() if (path / "__init__.py").exists()}
    assert folders <= set(STAGES)


@pytest.mark.parametrize("stage", STAGES)
def test_a_stage_imports_only_the_stages_below_it(stage: str):
    def refuses(path: Path, name: str) -> bool:
        parts = tuple(name.split("."))
        if parts[0] != "ace_core" or stage_of_file(path) != stage:
            return False
        return stage_of(parts[1:]) not in STAGES[stage] | {stage}

    assert offences(sources(CORE), refuses) == []


def test_the_document_names_every_file_of_the_base():
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    rows = [line.split()[1:] for line in text.splitlines() if line.startswith("base ")]
    files = {path.stem for path in CORE.glob("*.py")} - set(FILES) - {"__init__"}
    assert rows == [sorted(files)]


def test_the_core_knows_no_host():
    assert offences(sources(CORE), lambda _, name: within(name, HOST)) == []


def test_stages_without_files_need_torch_alone():
    def refuses(path: Path, name: str) -> bool:
        outside = third_party(name) and not within(name, {"torch", "ace_core"})
        return outside and stage_of_file(path) in NO_FILES

    assert offences(sources(CORE), refuses) == []


def test_only_the_host_folder_knows_the_inside_of_the_host():
    paths = [path for path in sources(FACE) if FACE / "host" not in path.parents]

    def refuses(path: Path, name: str) -> bool:
        if path == PATHS and within(name, {"folder_paths"}):
            return False
        return third_party(name) and not within(name, FACE_MAY)

    assert offences([*paths, ROOT / "__init__.py"], refuses) == []


def test_the_entry_point_imports_nothing_of_the_pack_at_import():
    tree = ast.parse((ROOT / "__init__.py").read_text(encoding="utf-8"))
    at_import = [node for node in tree.body if isinstance(node, ast.ImportFrom) and node.level]
    assert at_import == []


IMPORT_ALL = """
import importlib, os, pkgutil, sys

class Watched(os._Environ):
    def __getitem__(self, key):
        frame = sys._getframe(1)
        while frame.f_code.co_filename.endswith(("os.py", "_collections_abc.py")) or (
            frame.f_code.co_filename.startswith("<frozen")
        ):
            frame = frame.f_back
        if f"{os.sep}ace_core{os.sep}" in frame.f_code.co_filename:
            reads.append(f"{frame.f_code.co_filename}: {key}")
        return super().__getitem__(key)

reads = []
os.environ.__class__ = Watched
before = dict(os.environ)
import ace_core
for module in pkgutil.walk_packages(ace_core.__path__, "ace_core."):
    importlib.import_module(module.name)
host = {name.split(".")[0] for name in sys.modules} & set(sys.argv[1:])
assert not reads, reads
assert not host, host
assert dict(os.environ) == before, "the environment was changed"
"""


def test_importing_the_core_reads_no_environment_and_says_nothing():
    command = [sys.executable, "-W", "error", "-c", IMPORT_ALL, *sorted(HOST)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")


def test_the_core_never_names_the_environment():
    named_in = [
        f"{named(path)}:{node.lineno}"
        for path in sources(CORE)
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if (isinstance(node, ast.Attribute) and node.attr in ("environ", "getenv", "putenv"))
        or (isinstance(node, ast.alias) and node.name in ("environ", "getenv", "putenv"))
    ]
    assert named_in == []


def test_every_folder_of_the_tools_has_a_rule():
    assert {path.relative_to(TOOLS).parts[0] for path in sources(TOOLS)} == {
        *TOOL_FOLDERS,
        "demo.py",
    }


@pytest.mark.parametrize("folder", TOOL_FOLDERS)
def test_a_folder_of_the_tools_imports_only_those_below_it(folder: str):
    allowed = {f"tools.{each}" for each in TOOL_FOLDERS[folder] | {folder}}

    def refuses(_: Path, name: str) -> bool:
        return within(name, {"tools"}) and not within(name, allowed)

    assert offences(sources(TOOLS / folder), refuses) == []


def test_no_two_tools_import_each_other():
    """Imports inside functions count too."""
    modules = {".".join(p.relative_to(ROOT).with_suffix("").parts): p for p in sources(TOOLS)}
    modules = {name.removesuffix(".__init__"): path for name, path in modules.items()}

    def module_of(name: str) -> str:
        while name and name not in modules:
            name = name.rpartition(".")[0]
        return name

    graph = {
        name: {module_of(each) for each in imports(path)} - {"", name}
        for name, path in modules.items()
    }
    assert sum(map(len, graph.values())) > 100
    order = list(TopologicalSorter(graph).static_order())  # raises CycleError with the cycle
    assert order.index("tools.hosts.host") < order.index("tools.hosts.local")


def test_no_folder_is_taken_for_the_workflows_before_them():
    """ComfyUI serves templates from the first folder that has one of these names."""
    before = ("example_workflows", "example", "examples", "workflow")
    assert [name for name in before if (ROOT / name).exists()] == []
    assert (ROOT / "workflows").is_dir()
