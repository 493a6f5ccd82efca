"""Which names of the host the code in `nodes/` uses, read from its syntax trees.

A name is found in two ways. A chain that begins at a host's module is known whole, with the keyword
arguments of its calls: `comfy.samplers.CFGGuider`. Of an object that the host hands out only the
attribute is known; it counts as the host's where neither this project nor Python nor torch has it.
"""

import ast
import builtins
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import torch

from tools.hosts.checkout import ROOT

HOST: Final = frozenset(
    "app comfy comfy_aimdo comfy_api comfy_execution comfy_extras comfy_kitchen execution"
    " folder_paths latent_preview main node_helpers nodes server".split()
)
KNOWN: Final = (
    *(kind for kind in vars(builtins).values() if isinstance(kind, type)),
    *(torch.Tensor, torch.nn.Module, torch.nn.Linear, torch.nn.Parameter, torch.Generator),
    *(torch.device, torch.dtype, torch.Size, Path, re.Match, re.Pattern),
)
_PAGE: Final = r"\b(app|api|node|graph|widget|loader|definition|service)\??\.(\w+)"


@dataclass(slots=True)
class Uses:
    """`chains` by dotted name with the keywords passed to it; `members` by attribute with files;
    `classes` of ours by the host's class that they are made from."""

    chains: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    members: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    calls: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    classes: dict[str, list[ast.ClassDef]] = field(default_factory=lambda: defaultdict(list))


def uses() -> Uses:
    """What the pack's nodes use, `members` without those that are ours, Python's or torch's."""
    found, ours = Uses(), set()
    for path in sorted(ROOT.glob("nodes/**/*.py")):
        tree = ast.parse(path.read_text(encoding="utf-8"))
        OneFile(path.relative_to(ROOT).as_posix(), found).visit(tree)
        ours |= set(_defined(tree))
    for path in ROOT.glob("ace_core/**/*.py"):
        ours |= set(_defined(ast.parse(path.read_text(encoding="utf-8"))))
    ours |= {name for kind in KNOWN for name in dir(kind)}
    found.members = {n: w for n, w in found.members.items() if n not in ours and n[:2] != "__"}
    ends = (".value", ".__file__")  # of every enum, and of every module
    found.chains = {n: w for n, w in found.chains.items() if not n.endswith(ends)}
    return found


def page_uses() -> set[str]:
    """What `web/` uses of the page's objects, such as `app.rootGraph`; a node's parts likewise."""
    text = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.glob("web/**/*.js"))
    code = re.sub(r"//[^\n]*|/\*.*?\*/|from \"[^\"]*\"", "", text, flags=re.DOTALL)
    return {f"{place}.{name}" for place, name in re.findall(_PAGE, code)}


def _defined(tree: ast.AST) -> Iterator[str]:
    """Names of functions and classes, of a class's fields, and of what a method sets on `self`."""
    for node in ast.walk(tree):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                yield node.name
            case ast.ClassDef():
                yield node.name
                yield from _fields(node)
            case ast.Attribute(ast.Name(id="self"), name, ast.Store()):
                yield name


def _fields(node: ast.ClassDef) -> Iterator[str]:
    for each in node.body:
        targets = each.targets if isinstance(each, ast.Assign) else [getattr(each, "target", None)]
        yield from (target.id for target in targets if isinstance(target, ast.Name))


class OneFile(ast.NodeVisitor):
    """One file; a name stands for the host's things that it was imported as or set to."""

    def __init__(self, path: str, found: Uses) -> None:
        self.path, self.found = path, found
        self.names: dict[str, set[str]] = {}
        self.modules: set[str] = set()  # names of what is imported from elsewhere

    def visit_Import(self, node: ast.Import) -> None:
        for alias in node.names:
            root = alias.name.partition(".")[0]
            if root in HOST:
                self.names[alias.asname or root] = {alias.name if alias.asname else root}
            else:
                self.modules.add(alias.asname or root)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            name, module = alias.asname or alias.name, node.module or ""
            if node.level == 0 and module.partition(".")[0] in HOST:
                self.names[name] = {f"{module}.{alias.name}"}
                if alias.name not in ("io", "ui"):  # modules under another name
                    self.found.chains[f"{module}.{alias.name}"] |= set()
            else:
                self.modules.add(name)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        for base in node.bases:
            for name in self.stands_for(base):
                self.found.classes[name].append(node)
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        self.visit(node.value)
        meant = self.stands_for(node.value)
        for target in node.targets:
            if isinstance(target, ast.Name):
                self.names.pop(target.id, None)
                if meant:
                    self.names[target.id] = meant
            self.visit(target)

    def visit_Call(self, node: ast.Call) -> None:
        self.generic_visit(node)
        keywords = {each.arg for each in node.keywords if each.arg}
        for name in self.stands_for(node.func):
            self.found.chains[name] |= keywords
        if isinstance(node.func, ast.Attribute) and not self.stands_for(node.func):
            self.found.calls[node.func.attr] |= keywords
        if isinstance(node.func, ast.Name) and node.func.id in ("getattr", "hasattr"):
            self._look_up(node)

    def _look_up(self, node: ast.Call) -> None:
        match node.args:
            case [place, ast.Constant(value=str(attribute)), *_]:
                places = self.stands_for(place)
            case _:
                return
        for name in places:
            self.found.chains[f"{name}.{attribute}"] |= set()
        if not places:
            self.found.members[attribute].add(self.path)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        meant = self.stands_for(node)
        for name in meant:
            self.found.chains[name] |= set()
        if meant:
            return
        self.visit(node.value)
        root: ast.expr = node
        while isinstance(root, ast.Attribute):
            root = root.value
        if not (isinstance(root, ast.Name) and root.id in self.modules):
            self.found.members[node.attr].add(self.path)

    def stands_for(self, node: ast.expr) -> set[str]:
        """The host's dotted names that an expression may be; none where it is something else."""
        match node:
            case ast.Name():
                return self.names.get(node.id, set())
            case ast.Attribute():
                return {f"{name}.{node.attr}" for name in self.stands_for(node.value)}
            case ast.IfExp():
                return self.stands_for(node.body) | self.stands_for(node.orelse)
            case ast.Call(
                ast.Attribute(attr="import_module" | "get"), [ast.Constant(value=str(n))]
            ):
                return {n} if n.partition(".")[0] in HOST else set()
            case ast.Call(ast.Name(id="getattr"), [place, ast.Constant(value=name), *_]):
                return {f"{each}.{name}" for each in self.stands_for(place)}
        return set()
