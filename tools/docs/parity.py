"""Measure parity on the toy model and write docs/parity.md.

`python -m tools.docs.parity [--check]`.

The numbers come from the functions that the tests hold under their limits. A column claims one
bound, which follows from what is compared and in which precision; where a number exceeds it nothing
is written. `--check` writes nothing and fails when the file is old or a bound does not hold here.
"""

import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import torch

from ace_core.sampling.dcw import DCW, DCWMode
from ace_core.types import Variant
from tests.parity import batches, checks, peers, today, ways
from tests.parity.cases import CASES, SCALE, STEPS, Case
from tests.rounding import DOUBLE, SINGLE
from tools.hosts.checkout import ROOT

PAGE: Final = ROOT / "docs" / "parity.md"
OFFICIAL: Final = "tests/ace_core/conditioning/test_official.py"
RUNS: Final = "tests/ace_core/test_official_trajectories.py"
DIFFUSERS: Final = "tests/ace_core/test_diffusers_tasks.py"


@dataclass(frozen=True, slots=True)
class Column:
    """One check: its heading, the test that holds it, what measures it, and what is claimed."""

    title: str
    test: str
    measure: Callable[[str, str], float]
    bound: float  # 0: no difference at all


@dataclass(frozen=True, slots=True)
class Family:
    """Checkpoints that share a size of model and a way to sample."""

    title: str
    size: str  # of the goldens
    trajectory: Column
    today: Column  # with DCW
    rounding: Column
    peer: Callable[[str], float] | None  # diffusers, where it is right for this family
    peer_test: str

    @property
    def columns(self) -> tuple[Column, ...]:
        """All but diffusers."""
        return (*CONDITIONING, self.trajectory, self.today, self.rounding)


CONDITIONING: Final = (
    Column(
        "instruction and prompts",
        f"{OFFICIAL}::test_prompts_are_the_official_ones_to_the_byte",
        checks.instruction,
        0.0,
    ),
    Column(
        "source and mask",
        f"{OFFICIAL}::test_source_and_mask_are_the_official_ones",
        checks.source_and_mask,
        checks.ENCODED,
    ),
    Column(
        "condition",
        f"{OFFICIAL}::test_the_packed_condition_is_the_official_one",
        checks.condition,
        checks.ENCODED,
    ),
    Column(
        "without the source",
        f"{OFFICIAL}::test_without_the_source_context_and_condition_are_the_official_ones",
        checks.without_source,
        checks.ENCODED,
    ),
)
TURBO: Final = Column(
    "trajectory of April (DCW off)",
    f"{RUNS}::test_turbo_latents_are_the_official_ones",
    checks.turbo_trajectory,
    checks.RUN,
)
GUIDED: Final = Column(
    "trajectory of April (DCW off)",
    f"{RUNS}::test_guided_latents_of_base_and_sft_are_the_official_ones",
    checks.base_trajectory,
    checks.RUN,
)
TURBO_TODAY: Final = Column(
    "trajectory of today (DCW on)",
    f"{RUNS}::test_turbo_latents_with_dcw_follow_the_official_formulas",
    today.turbo,
    DOUBLE,
)
GUIDED_TODAY: Final = Column(
    "trajectory with DCW",
    f"{RUNS}::test_guided_latents_with_dcw_follow_the_official_formulas",
    today.base,
    DOUBLE,
)
MODES_TEST: Final = f"{RUNS}::test_every_mode_of_dcw_follows_the_official_formulas"
ROUNDING_TEST: Final = f"{RUNS}::test_in_float32_a_run_ends_where_it_ends_in_float64"
TURBO_ROUNDING: Final = Column("in float32", ROUNDING_TEST, checks.turbo_rounding, SINGLE)
GUIDED_ROUNDING: Final = Column("in float32", ROUNDING_TEST, checks.base_rounding, SINGLE)
TURBO_RUNS: Final = (TURBO, TURBO_TODAY, TURBO_ROUNDING)
GUIDED_RUNS: Final = (GUIDED, GUIDED_TODAY, GUIDED_ROUNDING)
PEER_TEST: Final = f"{DIFFUSERS}::test_latents_are_those_of_the_diffusers_pipeline"
FAMILIES: Final = (
    Family("2B turbo", "2b", *TURBO_RUNS, peers.turbo, f"{PEER_TEST}[*-turbo]"),
    Family("2B base and sft", "2b", *GUIDED_RUNS, peers.base, f"{PEER_TEST}[*-base]"),
    Family("XL turbo", "xl", *TURBO_RUNS, None, ""),
    Family("XL base and sft", "xl", *GUIDED_RUNS, None, ""),
)
INTRO: Final = f"""# Parity with the official code

Written by `python -m tools.docs.parity`; with `--check` that fails when this page is out of date.

Each cell bounds the largest difference, as a share of the largest value, between this project and
a reference on a toy model on the CPU. `same` is no difference at all. There are two classes:

- **float64**, `< 1e-9`: both sides compute in float64, where the same computation in another order
  stays below 1e-13. These are the columns with DCW and that of diffusers. The modules of diffusers
  upcast norms, rotary angles, times and codes to float32; they are run with float64 in its place.
  Its scheduler holds the times in float32; ours are given the same.
- **float32**, `< 1e-5` for one pass of the encoders and `< 1e-4` for a whole run: one side is
  float32. The official code was recorded in float32, and ours is compared in float64, so what is
  left is the recording's own rounding, the same on every processor. The column "in float32" is this
  project in float32 against itself in float64: about 6e-8 a sum, through three layers, every step
  and the factor of guidance it is up to 1e-5, which leaves a factor of ten for other processors.

The columns:

- The reference of all columns but the last three is the official handler with the official model
  files of 17 April 2026; `tests/goldens/README.md` tells how they were run. The files of turbo,
  base and sft gave the same conditioning to the last bit, and base and sft the same latents; so
  did XL's.
- Since 20 April 2026 the official code corrects each step of turbo by DCW. "Of today" is what this
  project does by default: the loop of April with DCW after each step, against the official formulas
  of summer 2026 written out in `tests/parity/today.py`. These files were read, not run. On base and
  sft DCW is off, officially and here; their column has it asked for.
- A trajectory runs from seeded noise to latents: turbo in 8 steps, base and sft in {STEPS} steps
  with APG at scale {SCALE:g}. The first cover switches at a cover strength of 0.5; ranges are kept
  as a balanced repaint keeps them.
- "Without the source" is what the model reads once the cover strength is spent.
- The last column is the whole pipeline of diffusers, asked for what it does right: no references,
  nothing beyond the source, no cover strength, nothing injected, at least 128 frames.
- What differs on purpose is in `deviations.md`.
"""
WAYS: Final = (
    Column(
        "turbo",
        f"{RUNS}::test_turbo_latents_are_the_official_ones_in_every_way",
        ways.turbo,
        checks.RUN,
    ),
    Column(
        "base and sft",
        f"{RUNS}::test_guided_latents_are_the_official_ones_in_every_way",
        ways.base,
        checks.RUN,
    ),
)
SIZES: Final = (("2B", "2b"), ("XL", "xl"))
BATCHES: Final = "tests/ace_core/test_official_batches.py"
BATCH_TESTS: Final = (
    f"{BATCHES}::test_an_item_s_condition_is_that_of_its_official_batch_without_what_was_filled_in",
    f"{BATCHES}::test_the_longest_item_of_a_batch_alone_is_that_of_the_official_batch",
    f"{BATCHES}::test_a_shorter_item_differs_by_what_was_filled_in_and_nothing_else",
    f"{BATCHES}::test_xl_base_over_a_thousand_frames_is_the_official_run",
)
NOT_PROVEN: Final = """## Not proven here

- Published weights: they were not at hand. Their layouts and keys are proven on miniature
  checkpoints.
- bf16 and GPUs: the official code rounds its schedule in bf16, this project does not
  (`deviations.md`, rows 1 and 2).
- The VAE and the published tokenizer: a linear stand-in and a byte tokenizer take their places;
  both have tests of their own.
- DCW: official runs with it were not recorded, its formulas are restated; wavelets other than Haar
  are refused.
- Turbo's shift-1 and continuous checkpoints differ from turbo in weights and schedule alone; the
  schedule is tested in `tests/ace_core/sampling/test_schedules.py`.
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


def cell(error: float, bound: float) -> str:
    """What the page claims of a measured `error`; a bound of 0 is no difference at all.

    Raises:
        ValueError: the claim does not hold.
    """
    if bound == 0:
        if error:
            raise ValueError(f"an error of {error:.1e} where there should be none")
        return "same"
    if not error < bound:
        raise ValueError(f"an error of {error:.1e} where < {bound:.0e} is claimed")
    return f"< {bound:.0e}".replace("e-0", "e-")


def missing(family: Family, case: Case) -> str:
    if family.peer is None:
        return "none: it has no XL timbre token"
    return f"none: {peers.UNSUPPORTED[case.name]}"


def table(family: Family) -> Iterator[str]:
    """One family, line by line.

    Raises:
        ValueError: a claim does not hold.
    """
    titles = [column.title for column in family.columns]
    yield f"## {family.title}\n"
    yield f"| task | {' | '.join(titles)} | diffusers |"
    yield "|---" * (len(titles) + 2) + "|"
    for case in CASES:
        cells = [cell(each.measure(case.name, family.size), each.bound) for each in family.columns]
        yield f"| {used_as(case)} | {' | '.join(cells)} | {peer_cell(family, case)} |"
    yield ""


def peer_cell(family: Family, case: Case) -> str:
    if family.peer is None or case.name not in peers.COMPARABLE:
        return missing(family, case)
    return cell(family.peer(case.name), DOUBLE)


def way_table() -> Iterator[str]:
    """The trajectories of other modes and strengths, line by line.

    Raises:
        ValueError: a claim does not hold.
    """
    titles = [f"{size} {column.title}" for size, _ in SIZES for column in WAYS]
    yield "## Other modes and strengths\n"
    yield "Trajectories. A conservative repaint of base and sft is compared outside its ramps"
    yield "(`deviations.md`, row 6).\n"
    yield f"| way | {' | '.join(titles)} |"
    yield "|---" * (len(titles) + 1) + "|"
    for name, way in ways.WAYS.items():
        columns = [(column, size) for _, size in SIZES for column in WAYS]
        cells = [cell(column.measure(name, size), column.bound) for column, size in columns]
        yield f"| {way.description} | {' | '.join(cells)} |"
    yield ""


def mode_table() -> Iterator[str]:
    """Every mode of DCW, line by line.

    Raises:
        ValueError: a claim does not hold.
    """
    runs = [(steps, frames) for steps in today.STEP_COUNTS for frames in today.LENGTHS]
    yield "## Modes of DCW\n"
    yield "2B turbo with the official scalers, against the official formulas; an odd number of"
    yield "frames is continued by one of zeros.\n"
    yield f"| mode | {' | '.join(f'{steps} steps, {frames} frames' for steps, frames in runs)} |"
    yield "|---" * (len(runs) + 1) + "|"
    for mode in DCWMode:
        cells = [cell(today.mode(mode.value, *run), DOUBLE) for run in runs]
        yield f"| {str(DCW(mode)).removeprefix('DCW ')} | {' | '.join(cells)} |"
    yield ""


def batch_table() -> Iterator[str]:
    """Items of an official batch of unequal songs, and a long song, line by line.

    Raises:
        ValueError: a claim does not hold.
    """
    shorter, longest = range(len(batches.BATCH))
    yield "## Batches of unequal songs, and a long song\n"
    yield "Two songs of different captions and lyrics in one official batch, which fills up the"
    yield "shorter texts, beside the same songs made alone here. The official decoder reads what"
    yield "was filled in (`deviations.md`, row 16), so the trajectory of the shorter song is"
    yield "compared on the official places, filled ones included.\n"
    yield "| item | condition | trajectory of turbo | trajectory of base |"
    yield "|---|---|---|---|"
    for title, size in SIZES:
        for name, item, run in (
            ("longest song", longest, batches.run),
            ("shorter song", shorter, batches.run_filled_up),
        ):
            cells = [cell(batches.condition(item, size), checks.ENCODED)]
            cells += [cell(run(item, size, v), checks.RUN) for v in (Variant.TURBO, Variant.BASE)]
            yield f"| {title}, {name} | {' | '.join(cells)} |"
    yield ""
    long_run = cell(batches.long_run(), checks.RUN)
    yield f"XL base over 1,000 frames, {STEPS} steps with APG: {long_run}."
    yield ""


def proofs() -> Iterator[str]:
    """Which test holds which column."""
    yield "## The tests\n"
    yield "Each is parametrised by the name in brackets and the size of the model.\n"
    for column in CONDITIONING:
        yield f"- {column.title}: `{column.test}`"
    for family in FAMILIES:
        yield f"- trajectory, {family.title}: `{family.trajectory.test}[*-{family.size}]`"
        yield f"- with DCW, {family.title}: `{family.today.test}[*-{family.size}]`"
    yield f"- modes of DCW: `{MODES_TEST}`"
    yield f"- in float32: `{ROUNDING_TEST}`"
    for column in WAYS:
        yield f"- other modes and strengths, {column.title}: `{column.test}`"
    for test in BATCH_TESTS:
        yield f"- batches and a long song: `{test}`"
    for family in FAMILIES:
        if family.peer is not None:
            yield f"- diffusers, {family.title}: `{family.peer_test}`"
    yield ""


def page() -> str:
    """The whole file, measured now.

    Raises:
        ValueError: a claim does not hold.
    """
    tables = [line for family in FAMILIES for line in table(family)]
    more = [*way_table(), *mode_table(), *batch_table()]
    return "\n".join([INTRO, *tables, *more, *proofs(), NOT_PROVEN])


def faults(text: str) -> list[str]:
    """What is wrong with `text` as the page of this project."""
    try:
        return [] if text == page() else ["it is old"]
    except ValueError as broken:
        return [str(broken)]


def main(arguments: list[str]) -> int:
    torch.set_num_threads(1)
    if arguments not in ([], ["--check"]):
        print("usage: python -m tools.docs.parity [--check]")
        return 2
    if not arguments:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    found = faults(PAGE.read_text(encoding="utf-8"))
    for fault in found:
        print(f"docs/parity.md: {fault}. Run python -m tools.docs.parity.")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
