"""What the documents promise is there: the tests that pin deviations, the files that are linked."""

import json
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
DEVIATIONS = (ROOT / "docs" / "deviations.md").read_text(encoding="utf-8").splitlines()
ROWS = [line for line in DEVIATIONS if re.match(r"\| \d+ \|", line)]


def test_deviations_are_numbered_without_a_gap():
    assert [int(row.split("|")[1]) for row in ROWS] == list(range(1, len(ROWS) + 1))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.split("|")[1].strip())
def test_every_deviation_names_tests_that_exist(row: str):
    pinned = row.split("|")[-2]
    file = ""
    named = re.findall(r"`(?:(test_\w+\.py)(?:: )?)?(test_\w+)?`", pinned)
    assert named
    for in_file, test in named:
        file = in_file or file
        texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob(file)]
        assert any(not test or f"def {test}(" in text for text in texts)


COMPARED = (ROOT / "docs" / "compared.md").read_text(encoding="utf-8")


def test_the_comparison_names_only_nodes_and_options_of_ours_that_exist():
    """Its last column; the others quote the options of other tools."""
    tables = [line.split("|")[-2] for line in COMPARED.splitlines() if line.count("|") == 6]
    names = {name for cell in tables for name in re.findall(r"`([^`]+)`", cell)}
    locales = json.loads((ROOT / "locales" / "en" / "nodeDefs.json").read_text(encoding="utf-8"))
    inputs = {name for node in locales.values() for name in node.get("inputs", {})}
    options = (ROOT / "ace_core" / "cli" / "arguments.py").read_text(encoding="utf-8")
    options += (ROOT / "ace_core" / "cli" / "options.py").read_text(encoding="utf-8")
    options += (ROOT / "ace_core" / "inference" / "types.py").read_text(encoding="utf-8")
    nodes = {name for name in names if name.startswith("AceStep15")}
    assert len(nodes) > 20
    assert nodes <= set(locales)
    others = names - nodes - {"code", "python -m ace_core batch"}
    assert {name for name in others if name not in inputs and name not in options} == set()


def test_every_table_of_the_comparison_has_whole_rows():
    for table in re.findall(r"(?:^\|.*\n)+", COMPARED, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1, table


@pytest.mark.parametrize("name", ["README.md", "ARCHITECTURE.md", "CHANGELOG.md"])
def test_every_link_to_a_file_of_ours_leads_somewhere(name: str):
    text = (ROOT / name).read_text(encoding="utf-8")
    links = [link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link]
    missing = [link for link in links if not (ROOT / link).exists()]
    assert not missing


README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_kind_of_file_has_an_address_and_a_folder_of_its_own_name():
    (table,) = re.findall(r"^## Where files go\n\n(.*?)\n\n", README, re.MULTILINE | re.DOTALL)
    rows = table.splitlines()[2:]
    assert len(rows) == 6
    for row in rows:
        part, folder, files = (cell.strip() for cell in row.strip("|").split("|"))
        assert re.search(r"\]\(https://\S+\)", files), part
        assert re.fullmatch(r"`[a-z_]+`", folder)
        for kind, name in re.findall(r"/split_files/(\w+)/([\w.]+)\)", files):
            assert (f"`{kind}`", name.endswith(".safetensors")) == (folder, True)


def test_every_command_of_make_that_readme_names_is_a_target():
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = set(re.findall(r"\bmake ([a-z-]+)`", README))
    assert {"setup", "demo", "test", "examples"} <= named
    assert named <= set(re.findall(r"^([a-z-]+):", makefile, re.MULTILINE))


WALKS = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8").split("\n## ")[1:3]
STEPS = re.findall(r"^ *(\S+\.py)  +(\w+(?:\.\w+)?)", "\n".join(WALKS), re.MULTILINE)


def test_both_walks_are_drawn():
    assert [walk.partition("\n")[0] for walk in WALKS] == [
        "From a caption to the diffusion transformer",
        "From a repaint mask to the waveform",
    ]
    assert len(STEPS) > 15


@pytest.mark.parametrize(("file", "name"), STEPS)
def test_each_step_of_a_walk_is_where_it_is_said_to_be(file: str, name: str):
    path = ROOT / file if (ROOT / file).exists() else ROOT / "ace_core" / file
    text = path.read_text(encoding="utf-8")
    for part in name.split("."):
        assert re.search(rf"^ *(?:def|class) {part}\b", text, re.MULTILINE), f"{part} in {file}"


WRITTEN = [ROOT / "Makefile", *ROOT.glob("*.md"), *ROOT.glob("*.toml"), *ROOT.glob(".ci/*")]
WRITTEN += [path for part in ("docs", "locales", "web") for path in (ROOT / part).rglob("*.*")]


def test_no_document_holds_both_sides_of_a_merge():
    texts = {path: path.read_bytes() for path in WRITTEN if path.is_file()}
    assert len(texts) > 100
    assert [p.name for p, text in texts.items() if re.search(rb"^[<>]{7} ", text, re.M)] == []
