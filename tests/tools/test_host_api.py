"""Nothing of ComfyUI is touched that is not listed, or not as a version has it."""

import ast
import re

import pytest

from tools.docs import hosts_page
from tools.docs.hosts_page import NOT_KNOWN, VERSIONS, cell, record
from tools.hosts.api import table
from tools.hosts.api.uses import OneFile, Uses, page_uses, uses
from tools.hosts.checkout import ROOT

FOUND = uses()
LISTED = set(table.symbols())


def is_place(name: str) -> bool:
    """A module or class of which names are listed."""
    return any(place == name or place.startswith(f"{name}.") for place in table.NAMES)


def accepts(signature: str, keyword: str) -> bool:
    names = [each.rstrip("=") for each in signature.strip("()").split(", ")]
    return keyword in names or any(name.startswith("**") for name in names)


def test_every_name_that_the_nodes_use_is_listed() -> None:
    assert [name for name in FOUND.chains if name not in LISTED and not is_place(name)] == []
    members = {name.rpartition(".")[2] for name in LISTED} | table.NOT_THE_HOSTS
    assert {name: where for name, where in FOUND.members.items() if name not in members} == {}


def test_every_name_that_the_page_part_uses_is_listed() -> None:
    assert page_uses() - set(table.page_names()) == set()


def test_a_name_that_is_not_listed_is_seen() -> None:
    found = Uses()
    code = "import comfy.sd\nmanager = comfy.sd\nmanager.CLIP(1, size=2)\npatcher.detach()\n"
    OneFile("nodes/x.py", found).visit(ast.parse(code))
    assert found.chains == {"comfy.sd": set(), "comfy.sd.CLIP": {"size"}}
    assert found.members == {"detach": {"nodes/x.py"}}


def test_each_version_has_all_of_them() -> None:
    for version in VERSIONS:
        held = record(version)
        assert held.keys() == LISTED, version
        lacking = [name for name in table.NOT_IN_ALL if version < table.NOT_IN_ALL[name]]
        assert [name for name, how in held.items() if how == "absent"] == lacking
    assert [
        (version, name)
        for version, names in record("pages").items()
        for name, there in names.items()
        if not there or name not in table.page_names()
    ] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_each_version_takes_what_we_pass(version: str) -> None:
    held = record(version)
    refused = [
        (name, keyword)
        for name, keywords in FOUND.chains.items()
        for keyword in keywords
        if held.get(name, NOT_KNOWN).startswith("(") and not accepts(held[name], keyword)
    ]
    assert refused == []


@pytest.mark.parametrize("version", VERSIONS)
def test_our_methods_take_what_each_version_passes(version: str) -> None:
    held, checked = record(version), 0
    for base, classes in FOUND.classes.items():
        for ours in classes:
            for method in ours.body:
                if not isinstance(method, ast.FunctionDef) or method.name == "__init__":
                    continue  # we make our objects ourselves
                how = held.get(f"{place_of(base)}.{method.name}", "")
                if how.startswith("(self"):
                    checked += 1
                    assert not refused_by(method, how), (ours.name, method.name, how)
    assert checked > 12


def place_of(base: str) -> str:
    """Where the members of a host's class are listed: often at the class above it."""
    if base.startswith("comfy.conds."):
        return "comfy.conds.CONDRegular"
    return {"comfy.model_base.ACEStep15": "comfy.model_base.BaseModel"}.get(base, base)


def refused_by(method: ast.FunctionDef, how: str) -> set[str]:
    """Parameters of the host's that ours has neither by name nor as one of many."""
    spec = method.args
    own = {each.arg for each in (*spec.posonlyargs, *spec.args, *spec.kwonlyargs)}
    if spec.kwarg is not None or how == "(self)":
        return set()
    theirs = {each.rstrip("=") for each in how.strip("()").split(", ")} - {"self"}
    return {name for name in theirs if name not in own and not name.startswith("*")}


def test_the_page_is_what_the_records_give() -> None:
    assert hosts_page.main(["--check"]) == 0


def test_the_page_names_every_version_and_no_machine() -> None:
    text = hosts_page.PAGE.read_text()
    assert all(version in text for version in VERSIONS)
    assert not re.search(r"/(home|root|work|Users)/", text)


@pytest.mark.parametrize(
    ("now", "before", "shown"),
    [
        ("(a, b=)", None, "yes"),
        ("(a, b=)", "(a, b=)", "same"),
        ("(a, b=, c=)", "(a, b=)", "+ `c=`"),
        ("(a)", "(a, b=)", "- `b=`"),
        ("absent", "(a)", "absent"),
        ("(a)", "absent", "yes"),
        ("not read", "(a)", "not read"),
        ("attribute", None, "attribute"),
    ],
)
def test_a_cell_says_what_changed(now: str, before: str | None, shown: str) -> None:
    assert cell(now, before) == shown


def test_the_oldest_and_the_newest_tested_versions_are_in_the_pack() -> None:
    assert f'requires-comfyui = ">={VERSIONS[0]}"' in (ROOT / "pyproject.toml").read_text()
