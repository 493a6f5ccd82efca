"""Write README's line of what the tests ran on, from the runs themselves; or check it.

`python3 -m tools.docs.tested_on` reads the last run of `make test` or `.ci/run` and, where there
was one, of `make test-versions`, from build/tests/. It keeps what passed in docs/tested_on.json and
writes README's line from that. With `--check` it compares the last run with what is kept: it fails
when a ComfyUI or a page is claimed that this run had and that did not pass.
"""

import json
import sys
from typing import Any

from tools.hosts.checkout import ROOT, release_of

RUNS = ROOT / "build" / "tests"
RECORD = ROOT / "docs" / "tested_on.json"
README = ROOT / "README.md"
BEGIN, END = "<!-- tested on: python3 -m tools.docs.tested_on -->", "<!-- end of tested on -->"
_KEPT = ("layer", "where", "passed", "skips", "seconds", "packages")
Row = dict[str, Any]
Pair = tuple[str, str]  # a ComfyUI and a page, "" for its own tests


class TestedOnError(Exception):
    """There is nothing to write from, or what is claimed did not pass."""


def passed(rows: list[Row]) -> list[Row]:
    """The rows of a ComfyUI, in a page or not, that passed; only those of a ComfyUI whose own tests
    did."""
    good = [row for row in rows if row["host"] and _succeeded(row)]
    hosts = {row["host"] for row in good if not row["frontend"]}
    return [row for row in good if row["host"] in hosts]


def waiting(record: dict[str, list[Row]], rows: list[Row]) -> list[Row]:
    """The rows of a record whose turn it was not in a run; they passed at their last one. Of a
    ComfyUI whose own tests failed there is none."""
    good = {row["host"] for row in passed(rows)}
    left_out = {_pair(row) for row in rows if row["host"] in good and row.get("waits")}
    return [row for row in record["hosts"] if _pair(row) in left_out]


def line(record: dict[str, list[Row]]) -> str:
    """README's sentence about a record."""
    pages: dict[str, list[str]] = {}
    for row in record["hosts"]:
        pages.setdefault(row["host"], []).extend([row["frontend"]] if row["frontend"] else [])
    if not pages:
        return "Tested on no ComfyUI yet."
    hosts = [f"{host}{_in_brackets(pages[host])}" for host in sorted(pages, key=release_of)]
    text = f"Tested on ComfyUI {_listed(hosts)}"
    combinations = [_packages(row["packages"]) for row in record["versions"]]
    return f"{text}; the library alone on {_listed(combinations)}." if combinations else f"{text}."


def complaints(record: dict[str, list[Row]], rows: list[Row]) -> tuple[list[str], list[str]]:
    """What is false in a record, and what this run could not decide, one sentence per finding."""
    ran = {_pair(row): row for row in rows if row["host"]}
    there = {host for host, _ in ran}
    false, undecided = [], []
    for pair in map(_pair, record["hosts"]):
        if pair in ran and not ran[pair]["missing"]:
            false += [] if _succeeded(ran[pair]) else [f"{_named(pair)} did not pass."]
        elif pair[0] in there and pair not in ran:
            false.append(f"{_named(pair)} was not run, though this ComfyUI is here.")
        else:
            undecided.append(_named(pair))
    return false, undecided


def written(readme: str, record: dict[str, list[Row]]) -> str:
    """README with the line of a record between its marks.

    Raises:
        TestedOnError: the marks are not there.
    """
    before, begin, rest = readme.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not (begin and end):
        raise TestedOnError(f"README.md has not the marks {BEGIN!r} and {END!r}.")
    return f"{before}{BEGIN}\n{line(record)}\n{END}{after}"


def read_run(what: str) -> list[Row]:
    """The rows of the last whole run.

    Raises:
        TestedOnError: there was none, or only of chosen layers.
    """
    place = RUNS / f"{what}.json"
    if not place.is_file():
        raise TestedOnError(f"There was no run yet: {place.relative_to(ROOT)} is missing.")
    run = json.loads(place.read_text(encoding="utf-8"))
    if not run["whole"]:
        raise TestedOnError("The last run was of chosen layers or tests only; run all of them.")
    return run["rows"]


def write() -> None:
    """Keep what the last runs passed, and write README's line."""
    rows, kept = read_run("layers"), _kept_record()
    hosts = passed(rows) + waiting(kept, rows)
    versions = kept["versions"]
    if (RUNS / "versions.json").is_file():
        versions = [row for row in read_run("versions") if row["passed"] and _succeeded(row)]
    record = {"hosts": [_kept(row) for row in hosts], "versions": [_kept(row) for row in versions]}
    RECORD.write_text(json.dumps(record, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    text = written(README.read_text(encoding="utf-8"), record)
    README.write_text(text, encoding="utf-8")
    print(line(record))


def check() -> None:
    """
    Raises:
        TestedOnError: the last run contradicts what is claimed.
    """
    record = _kept_record()
    rows = read_run("layers")
    false, undecided = complaints(record, rows)
    unclaimed = {_pair(row) for row in passed(rows)} - {_pair(row) for row in record["hosts"]}
    if unclaimed:
        names = _listed([_named(pair) for pair in sorted(unclaimed)])
        print(f"{names} passed and README does not say so; `python3 -m tools.docs.tested_on` does.")
    if undecided:
        print(f"!!! NOT CHECKED HERE: README claims {_listed(undecided)}. !!!")
    if false:
        raise TestedOnError(f"README claims what is false: {' '.join(false)}")
    if len(undecided) < len(record["hosts"]):
        print(f"README is right: {line(record)}")


def _kept_record() -> dict[str, list[Row]]:
    return json.loads(RECORD.read_text(encoding="utf-8"))


def _kept(row: Row) -> Row:
    return {name: row[name] for name in (*_KEPT, "host", "frontend")}


def _succeeded(row: Row) -> bool:
    return not (row["failures"] or row["problem"] or row["missing"])


def _pair(row: Row) -> Pair:
    return row["host"], row["frontend"]


def _named(pair: Pair) -> str:
    host, frontend = pair
    return f"ComfyUI {host}" + (f" with frontend {frontend}" if frontend else "")


def _packages(found: dict[str, str]) -> str:
    names = ("torch", "transformers", "numpy")
    return f"Python {found['python']} with " + ", ".join(f"{each} {found[each]}" for each in names)


def _in_brackets(frontends: list[str]) -> str:
    if not frontends:
        return ""
    word = "frontend" if len(frontends) == 1 else "frontends"
    return f" ({word} {_listed(sorted(frontends, key=release_of))})"


def _listed(words: list[str]) -> str:
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def main(arguments: list[str]) -> int:
    try:
        check() if arguments == ["--check"] else write()
    except TestedOnError as error:
        print(f"!!! {error} !!!", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
