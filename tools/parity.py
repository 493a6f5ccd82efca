"""Measure parity on the toy model and write docs/parity.md: `python -m tools.parity [--check]`.

The numbers come from the functions that the tests hold under their limits. `--check` writes nothing
and fails when the file's words are old or one of its bounds does not hold here.
"""

import re
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import torch

from tests.parity import checks, peers, ways
from tests.parity.cases import CASES, SCALE, STEPS, Case

PAGE: Final = Path(__file__).parents[1] / "docs" / "parity.md"
BOUNDS: Final = (1e-6, 3e-6, 1e-5)
MARGIN: Final = 3.0  # another machine rounds otherwise
BOUND: Final = re.compile(r"< \de-\d+")
OFFICIAL: Final = "tests/ace_core/conditioning/test_official.py"
RUNS: Final = "tests/ace_core/test_official_trajectories.py"
DIFFUSERS: Final = "tests/ace_core/test_diffusers_tasks.py"


@dataclass(frozen=True, slots=True)
class Column:
    """One check: its heading, the test that holds it, and what measures it."""

    title: str
    test: str
    measure: Callable[[str, str], float]


@dataclass(frozen=True, slots=True)
class Family:
    """Checkpoints that share a size of model and a way to sample."""

    title: str
    size: str  # of the goldens
    trajectory: Column
    peer: Callable[[str], float] | None  # diffusers, where it is right for this family
    peer_test: str


CONDITIONING: Final = (
    Column(
        "instruction and prompts",
        f"{OFFICIAL}::test_prompts_are_the_official_ones_to_the_byte",
        checks.instruction,
    ),
    Column(
        "source and mask",
        f"{OFFICIAL}::test_source_and_mask_are_the_official_ones",
        checks.source_and_mask,
    ),
    Column(
        "condition",
        f"{OFFICIAL}::test_the_packed_condition_is_the_official_one",
        checks.condition,
    ),
    Column(
        "without the source",
        f"{OFFICIAL}::test_without_the_source_context_and_condition_are_the_official_ones",
        checks.without_source,
    ),
)
TURBO: Final = Column(
    "trajectory", f"{RUNS}::test_turbo_latents_are_the_official_ones", checks.turbo_trajectory
)
GUIDED: Final = Column(
    "trajectory",
    f"{RUNS}::test_guided_latents_of_base_and_sft_are_the_official_ones",
    checks.base_trajectory,
)
PEER_TEST: Final = f"{DIFFUSERS}::test_latents_are_those_of_the_diffusers_pipeline"
FAMILIES: Final = (
    Family("2B turbo", "2b", TURBO, peers.turbo, f"{PEER_TEST}[*-turbo]"),
    Family("2B base and sft", "2b", GUIDED, peers.base, f"{PEER_TEST}[*-base]"),
    Family("XL turbo", "xl", TURBO, None, ""),
    Family("XL base and sft", "xl", GUIDED, None, ""),
)
INTRO: Final = f"""# Parity with the official code

Written by `python -m tools.parity`; `python -m tools.parity --check` fails when it is out of date.

Each cell bounds the largest difference, as a share of the largest value, between this project and
a reference on a toy model in float32 on the CPU. `same` is no difference at all. Parity holds
below 1e-5; a stated bound leaves room for machines that round otherwise.

- The reference of all columns but the last is the official handler with the official model files
  of April 2026; `tests/goldens/README.md` tells how they were run. The files of turbo, base and sft
  gave the same conditioning to the last bit, and base and sft the same latents; so did XL's.
- A trajectory runs from seeded noise to latents: turbo in 8 steps, base and sft in {STEPS} steps
  with APG at scale {SCALE:g}. The first cover switches at a cover strength of 0.5; ranges are kept
  as a balanced repaint keeps them.
- "Without the source" is what the model reads once the cover strength is spent.
- The last column is the whole pipeline of diffusers, asked for what it does right: no references,
  nothing beyond the source, no cover strength, nothing injected, at least 128 frames.
- What differs on purpose is in `deviations.md`.
"""
WAYS: Final = (
    Column("turbo", f"{RUNS}::test_turbo_latents_are_the_official_ones_in_every_way", ways.turbo),
    Column(
        "base and sft", f"{RUNS}::test_guided_latents_are_the_official_ones_in_every_way", ways.base
    ),
)
SIZES: Final = (("2B", "2b"), ("XL", "xl"))
NOT_PROVEN: Final = """## Not proven here

- Published weights: they were not at hand. Their layouts and keys are proven on miniature
  checkpoints.
- bf16 and GPUs: the official code rounds its schedule in bf16, this project does not
  (`deviations.md`, rows 1 and 2).
- The VAE and the published tokenizer: a linear stand-in and a byte tokenizer take their places;
  both have tests of their own.
- Turbo's shift-1 and continuous checkpoints differ from turbo in weights and schedule alone; the
  schedule is tested in `tests/ace_core/sampling/test_schedule.py`.
"""


def used_as(case: Case) -> str:
    """The case in words."""
    words = [case.task]
    words += ["with codes"] if case.codes else []
    words += ["of a short source"] if 0 < case.samples < 128 * 1920 else []
    if case.start is not None and case.end is not None:
        words.append(f"from {case.start:g} to {case.end:g} s")
    words += ["with references"] if case.references else []
    return f"{' '.join(words)} (`{case.name}`)"


def errors(family: Family) -> Iterator[list[float]]:
    """A row of measured errors for each case; diffusers last, where it was asked."""
    for case in CASES:
        row = [column.measure(case.name, family.size) for column in CONDITIONING]
        row.append(family.trajectory.measure(case.name, family.size))
        if family.peer is not None and case.name in peers.ASKED:
            row.append(family.peer(case.name))
        yield row


def cell(error: float) -> str:
    """The bound that `error` keeps with some margin.

    Raises:
        ValueError: parity is broken.
    """
    if error == 0:
        return "same"
    if not error < checks.LIMIT:
        raise ValueError(f"an error of {error:.1e} is no parity: see the failing tests")
    bound = next((b for b in BOUNDS if error * MARGIN < b), BOUNDS[-1])
    return f"< {bound:.0e}".replace("e-0", "e-")


def missing(family: Family, case: Case) -> str:
    if family.peer is None:
        return "none: it has no XL timbre token"
    return f"none: {peers.LACKING[case.name]}"


def table(family: Family) -> Iterator[str]:
    """One family, line by line."""
    titles = [column.title for column in (*CONDITIONING, family.trajectory)]
    yield f"## {family.title}\n"
    yield f"| task | {' | '.join(titles)} | diffusers |"
    yield "|---" * (len(titles) + 2) + "|"
    for case, row in zip(CASES, errors(family), strict=True):
        cells = [shown(place, error) for place, error in enumerate(row)]
        if len(cells) == len(titles):
            cells.append(missing(family, case))
        yield f"| {used_as(case)} | {' | '.join(cells)} |"
    yield ""


def way_errors() -> Iterator[list[float]]:
    """A row of measured errors for each other way of a task."""
    for name in ways.WAYS:
        yield [column.measure(name, size) for _, size in SIZES for column in WAYS]


def way_table() -> Iterator[str]:
    """The trajectories of other modes and strengths, line by line."""
    titles = [f"{size} {column.title}" for size, _ in SIZES for column in WAYS]
    yield "## Other modes and strengths\n"
    yield "Trajectories. A conservative repaint of base and sft is compared outside its ramps"
    yield "(`deviations.md`, row 6).\n"
    yield f"| way | {' | '.join(titles)} |"
    yield "|---" * (len(titles) + 1) + "|"
    for way, row in zip(ways.WAYS.values(), way_errors(), strict=True):
        cells = [shown(1, error) for error in row]
        yield f"| {way.words} | {' | '.join(cells)} |"
    yield ""


def shown(column: int, error: float) -> str:
    """Prompts are equal or not; a number that happens to be 0 here need not be elsewhere."""
    return cell(error) if column == 0 or error else cell(BOUNDS[0] / (2 * MARGIN))


def proofs() -> Iterator[str]:
    """Which test holds which column."""
    yield "## The tests\n"
    yield "Each is parametrised by the name in brackets and the size of the model.\n"
    for column in CONDITIONING:
        yield f"- {column.title}: `{column.test}`"
    for family in FAMILIES:
        yield f"- trajectory, {family.title}: `{family.trajectory.test}[*-{family.size}]`"
    for column in WAYS:
        yield f"- other modes and strengths, {column.title}: `{column.test}`"
    for family in FAMILIES:
        if family.peer is not None:
            yield f"- diffusers, {family.title}: `{family.peer_test}`"
    yield ""


def page() -> str:
    """The whole file, measured now."""
    tables = [line for family in FAMILIES for line in table(family)]
    return "\n".join([INTRO, *tables, *way_table(), *proofs(), NOT_PROVEN])


def measured() -> list[float]:
    """Every error whose cell shows a bound, in the page's order."""
    rows = (row for family in FAMILIES for row in errors(family))
    found = [error for row in rows for place, error in enumerate(row) if place or error]
    return found + [error for row in way_errors() for error in row]


def faults(text: str) -> list[str]:
    """What is wrong with `text` as the page of this project."""
    if BOUND.sub("<", text) != BOUND.sub("<", page()):
        return ["its words or rows are old"]
    claims = [float(claim[2:]) for claim in BOUND.findall(text)]
    return [
        f"{error:.1e} was measured where < {bound:.0e} is claimed"
        for error, bound in zip(measured(), claims, strict=True)
        if not error < bound
    ]


def main(arguments: list[str]) -> int:
    torch.set_num_threads(1)
    if arguments not in ([], ["--check"]):
        print("usage: python -m tools.parity [--check]")
        return 2
    if not arguments:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    found = faults(PAGE.read_text(encoding="utf-8"))
    for fault in found:
        print(f"docs/parity.md: {fault}. Run python -m tools.parity.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
