"""The pack reaches no network, starts no process and executes no text: read from its source."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
SOURCES = [
    *sorted((ROOT / "ace_core").rglob("*.py")),
    *sorted((ROOT / "nodes").rglob("*.py")),
    ROOT / "__init__.py",
]
NETWORK = "socket ssl urllib http ftplib smtplib poplib imaplib telnetlib xmlrpc socketserver"
NETWORK += " webbrowser requests httpx aiohttp websocket websockets huggingface_hub modelscope"
PROCESSES = "subprocess multiprocessing pty ctypes cffi"
EXECUTION = "pickle cPickle dill cloudpickle joblib marshal shelve code codeop runpy"
FORBIDDEN = {*NETWORK.split(), *PROCESSES.split(), *EXECUTION.split()}
BUILT_IN = {"eval", "exec", "compile", "__import__", "input", "breakpoint"}
CALLS = {  # a name, or the end of a dotted one
    "os.system",
    "os.popen",
    "os.fork",
    "os.forkpty",
    "os.kill",
    "os.startfile",
    "asyncio.open_connection",
    "asyncio.start_server",
    "asyncio.create_subprocess_exec",
    "asyncio.create_subprocess_shell",
    "concurrent.futures.ProcessPoolExecutor",
    "torch.multiprocessing.Process",
    "torch.multiprocessing.spawn",
    "torch.utils.cpp_extension.load",
    "torch.hub",
    "load_state_dict_from_url",
    "hf_hub_download",
    "snapshot_download",
    "yaml.unsafe_load",
    "yaml.full_load",
    "numpy.load",
    "np.load",
}
PICKLED_ON_A_CLUSTER = ("ace_core/batch/cluster.py", "pickle")  # its own errors, never a file's


def modules(tree: ast.AST) -> Iterator[str]:
    """The first part of each module that is imported, also by `import_module` with a constant."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").split(".")[0]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith("import_module"):
            first = node.args[0]
            yield str(first.value).split(".")[0] if isinstance(first, ast.Constant) else ""


STARTS = ("os.exec", "os.spawn", "os.posix_spawn")  # families of functions


def full_names(tree: ast.AST) -> dict[str, str]:
    """What each imported name stands for: `load` of `from torch import load` for `torch.load`."""
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and not node.level:
            found |= {a.asname or a.name: f"{node.module}.{a.name}" for a in node.names}
        elif isinstance(node, ast.Import):
            found |= {a.asname: a.name for a in node.names if a.asname}
    return found


def called(call: ast.Call, names: dict[str, str]) -> str:
    """The dotted name that is called, from the module's own."""
    first, dot, rest = ast.unparse(call.func).partition(".")
    return f"{names.get(first, first)}{dot}{rest}"


def calls(tree: ast.AST) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def keyword(call: ast.Call, name: str) -> str:
    return next((ast.unparse(each.value) for each in call.keywords if each.arg == name), "")


def faults(path: str, text: str) -> list[str]:
    """What a source file must not have, as `file: what`."""
    tree = ast.parse(text)
    found = [m for m in modules(tree) if m in FORBIDDEN and (path, m) != PICKLED_ON_A_CLUSTER]
    names = full_names(tree)
    for call in calls(tree):
        name = called(call, names).removeprefix("builtins.")
        last = name.rpartition(".")[2]
        if name in BUILT_IN or name in CALLS or last in CALLS or name.startswith(STARTS):
            found.append(name)
        if name == "torch.load" and keyword(call, "weights_only") != "True":
            found.append("torch.load without weights_only=True")
        if name == "yaml.load" and keyword(call, "Loader") != "yaml.BaseLoader":
            found.append("yaml.load with a loader that makes objects")
        if keyword(call, "trust_remote_code") not in ("", "False"):
            found.append("trust_remote_code")
        if last == "from_pretrained" and keyword(call, "local_files_only") != "True":
            found.append("from_pretrained that may download")
    return [f"{path}: {each}" for each in found]


def test_no_source_reaches_out_or_executes_what_it_reads():
    found = [
        fault
        for path in SOURCES
        for fault in faults(path.relative_to(ROOT).as_posix(), path.read_text(encoding="utf-8"))
    ]
    assert found == []
    assert len(SOURCES) > 100


@pytest.mark.parametrize(
    "text",
    [
        "import socket",
        "from urllib.request import urlopen",
        "def f():\n    import pickle",
        "import importlib\nimportlib.import_module('subprocess')",
        "eval('1')",
        "exec(text)",
        "import os\nos.system('ls')",
        "import os\nos.execv('ls', [])",
        "import torch\ntorch.load(path)",
        "import torch\ntorch.load(path, weights_only=False)",
        "import yaml\nyaml.load(text, Loader=yaml.Loader)",
        "AutoModel.from_pretrained(path)",
        "AutoModel.from_pretrained(path, local_files_only=True, trust_remote_code=True)",
        "import numpy as np\nnp.load(path)",
        "from torch import load\nload(path)",
        "import torch as t\nt.load(path)",
        "from torch import load as read\nread(path)",
        "from os import system\nsystem('ls')",
        "from os import execv as run\nrun('ls', [])",
        "import os\nos.posix_spawn('ls', [], {})",
        "import builtins\nbuiltins.eval('1')",
        "import asyncio\nasyncio.create_subprocess_exec('ls')",
        "from numpy import load\nload(path)",
        "from transformers import AutoModel as A\nA.from_pretrained(path)",
    ],
)
def test_each_of_these_would_be_found(text: str):
    assert faults("ace_core/some.py", text)
