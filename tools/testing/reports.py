"""What a layer of tests came to: a row of the table, read from pytest's own report."""

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

_NAMED = 5  # failed tests that the table names; the rest is in the output above it
_COLUMNS = ("layer", "where", "passed", "failed", "skipped", "seconds")


@dataclass(frozen=True)
class Row:
    """A layer and its end. Nothing ran when `missing` says what this machine lacks."""

    layer: str
    where: str
    passed: int = 0
    failures: tuple[str, ...] = ()  # names of tests or checks
    skips: dict[str, int] = field(default_factory=dict)  # reason -> how many
    problem: str = ""  # why the layer failed as a whole
    missing: str = ""
    waits: bool = False  # it is missing until its turn, and nothing is lacking
    seconds: float = 0.0
    host: str = ""  # version of ComfyUI
    frontend: str = ""  # version of its page
    packages: dict[str, str] = field(default_factory=dict)  # of its environment -> version

    @property
    def failed(self) -> bool:
        return bool(self.failures or self.problem)

    @property
    def succeeded(self) -> bool:
        return not self.failed and not self.missing

    @property
    def name(self) -> str:
        return f"{self.layer} ({self.where})"


def counted(report: Path) -> dict[str, Any]:
    """`passed`, `failures` and `skips` of a JUnit report, as `Row` has them."""
    passed, failures, skips = 0, list[str](), Counter[str]()
    for case in ElementTree.parse(report).iter("testcase"):
        skipped = case.find("skipped")
        if case.find("failure") is not None or case.find("error") is not None:
            failures.append(f"{case.get('classname')}::{case.get('name')}")
        elif skipped is not None:
            skips[skipped.get("message") or "no reason given"] += 1
        else:
            passed += 1
    return {"passed": passed, "failures": tuple(failures), "skips": dict(skips)}


def table(rows: list[Row]) -> str:
    """The rows under one another, with what was skipped, failed or missing below each."""
    cells = [_COLUMNS, *(_cells(row) for row in rows)]
    widths = [max(len(line[column]) for line in cells) for column in range(len(_COLUMNS))]
    lines = [_line(cells[0], widths)]
    for row, line in zip(rows, cells[1:], strict=True):
        lines += [_line(line, widths), *(f"  {remark}" for remark in _remarks(row))]
    return "\n".join(lines)


def verdict(rows: list[Row]) -> str:
    """Loud lines for what did not run, then one line for all."""
    lines = [f"!!! NOT RUN: {row.name}: {row.missing} !!!" for row in rows if row.missing]
    failed = [row.name for row in rows if row.failed]
    if failed:
        return "\n".join([*lines, f"FAILED: {'; '.join(failed)}"])
    ran = sum(row.succeeded for row in rows)
    return "\n".join([*lines, f"{ran} of {len(rows)} layers ran, all of them passed."])


def _cells(row: Row) -> tuple[str, ...]:
    counts = (row.passed, len(row.failures), sum(row.skips.values()))
    shown = ("-",) * 3 if row.missing else tuple(str(count) for count in counts)
    return (row.layer, row.where, *shown, "-" if row.missing else f"{row.seconds:.0f}")


def _line(cells: tuple[str, ...], widths: list[int]) -> str:
    words = [cell.ljust(width) for cell, width in zip(cells[:2], widths[:2], strict=True)]
    numbers = [cell.rjust(width) for cell, width in zip(cells[2:], widths[2:], strict=True)]
    return "  ".join([*words, *numbers])


def _remarks(row: Row) -> list[str]:
    remarks = [f"FAILED: {name}" for name in row.failures[:_NAMED]]
    if len(row.failures) > _NAMED:
        remarks.append(f"FAILED: and {len(row.failures) - _NAMED} more")
    remarks += [f"FAILED: {row.problem}"] if row.problem else []
    remarks += [f"not run: {row.missing}"] if row.missing else []
    return remarks + [f"{count} skipped: {reason}" for reason, count in row.skips.items()]
