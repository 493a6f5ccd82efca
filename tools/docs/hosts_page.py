"""Write docs/hosts.md from what each version of ComfyUI was read to have.

`python -m tools.docs.hosts_page [--check | --read | --read-page VERSION FOLDER]`: --check writes
nothing and fails when the page is out of date; --read reads the ComfyUI whose environment this is,
--read-page a build of its page, into `tools/hosts/api/`.
"""

import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tools.hosts.api import table
from tools.hosts.api.changes import CHANGES, NOT_READ
from tools.hosts.api.given import ABSENT, given, import_all, page_has
from tools.hosts.api.uses import Uses, uses
from tools.hosts.checkout import ROOT, require_checkout

PAGE: Final = ROOT / "docs" / "hosts.md"
RECORDS: Final = ROOT / "tools" / "hosts" / "api"
VERSIONS: Final = ("0.20.1", "0.33.0", "0.38.1")
NOT_KNOWN: Final = "not read"
INTRO: Final = """# What this pack touches of ComfyUI

Written by `python -m tools.docs.hosts_page`; with `--check` that fails when this page is out of
date. `tests/tools/test_host_api.py` fails when the code touches a name that is not listed here,
or passes an argument that a version does not take; `tests/host/test_host_api_in_host.py` looks for
each name in the ComfyUI at hand.

`same` is as in the version before; `+` and `-` are parameters that came and went; what may be left
out ends in `=`. An attribute is set on the object, a value stands in the module or class."""


def record(name: str) -> dict[str, Any]:
    """What was read of a version, or of `pages`."""
    return json.loads((RECORDS / f"{name}.json").read_text(encoding="utf-8"))


def page() -> str:
    """The whole file."""
    found = uses()
    records = [record(version) for version in VERSIONS]
    lines = [INTRO, "", NOT_READ, "", *_changes()]
    for place, names in table.NAMES.items():
        lines += _table(f"`{place}`", [f"{place}.{name}" for name in names.split()], records, found)
    for file, keys in table.KEYS.items():
        listed = [f"{file}: {key}" for key in keys.split()]
        lines += _table(f"Keys and routes that `{file}` reads", listed, records, found)
    return "\n".join([*lines, *_frontends()])


def _changes() -> Iterator[str]:
    yield "## What changed, what we do\n"
    yield "| since | the host | this pack |"
    yield "|---|---|---|"
    for since, host, ours in CHANGES:
        yield f"| {since} | {host} | {ours} |"
    yield ""


def _table(
    title: str, names: list[str], records: list[dict[str, Any]], found: Uses
) -> Iterator[str]:
    yield f"## {title}\n"
    yield f"| name | passed | {' | '.join(VERSIONS)} |"
    yield "|---" * (len(VERSIONS) + 2) + "|"
    for name in names:
        last = name.rpartition(": ")[2] if ": " in name else name.rpartition(".")[2]
        passed = ", ".join(sorted(passed_to(name, found)))
        cells = [cell(each[name], before) for each, before in _pairs(records, name)]
        yield f"| `{last}` | {passed} | {' | '.join(cells)} |"
    yield ""


def passed_to(name: str, found: Uses) -> set[str]:
    """The keyword arguments of our calls; those of a member by its name alone."""
    if name in found.chains:
        return found.chains[name]
    return found.calls.get(name.rpartition(".")[2], set())


def _pairs(records: list[dict[str, Any]], name: str) -> Iterator[tuple[dict[str, Any], str | None]]:
    before = None
    for each in records:
        yield each, before
        before = before if each[name] == NOT_KNOWN else each[name]


def cell(now: str, before: str | None) -> str:
    """A version's entry beside the one before it."""
    if now == NOT_KNOWN:
        return now
    if before in (None, ABSENT):
        return "yes" if now.startswith("(") else now
    if now == before:
        return "same"
    here, there = _parameters(now), _parameters(before)
    if not (now.startswith("(") and before.startswith("(")):
        return now
    new = [f"+ `{name}`" for name in here if name not in there]
    gone = [f"- `{name}`" for name in there if name not in here]
    return ", ".join([*new, *gone]) or "another order"


def _parameters(text: str) -> list[str]:
    return [each for each in text.strip("()").split(", ") if each]


def _frontends() -> Iterator[str]:
    pages = record("pages")
    yield "## The page\n"
    yield "What `web/` uses of it, looked for in the scripts of each build by name.\n"
    yield f"| name | {' | '.join(pages)} |"
    yield "|---" * (len(pages) + 1) + "|"
    for name in table.page_names():
        yield f"| `{name}` | {' | '.join('yes' if has[name] else 'no' for has in pages.values())} |"
    yield ""


def read_host() -> tuple[str, dict[str, str]]:
    """Version, and each listed name as the ComfyUI of this environment has it.

    Raises:
        SystemExit: there is none.
    """
    checkout = require_checkout()
    with tempfile.TemporaryDirectory() as folder:
        version = import_all(checkout, Path(folder))
        return version, {name: given(name, checkout) for name in table.symbols()}


def _write(name: str, found: dict[str, Any]) -> None:
    text = json.dumps(found, indent=1, sort_keys=True)
    (RECORDS / f"{name}.json").write_text(f"{text}\n", encoding="utf-8")


def main(arguments: list[str]) -> int:
    match arguments:
        case []:
            PAGE.write_text(page(), encoding="utf-8")
        case ["--check"]:
            if PAGE.read_text(encoding="utf-8") != page():
                print("docs/hosts.md is old. Run python -m tools.docs.hosts_page.")
                return 1
        case ["--read"]:
            _write(*read_host())
        case ["--read-page", version, folder]:
            found = page_has(Path(folder), table.page_names())
            _write("pages", record("pages") | {version: found})
        case ["--print"]:  # for the tests, which cannot import a host's server after its nodes
            print(json.dumps(read_host()))
        case _:
            print(__doc__)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
