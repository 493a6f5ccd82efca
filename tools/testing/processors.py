"""The settings of one processor that stand for others: what torch's kernels may use, and threads.

The bounds of the tests come from the arithmetic, so the tests that need no host pass under each.
"""

import platform
from dataclasses import dataclass, replace

from tools.hosts.checkout import ROOT
from tools.testing.jobs import Job
from tools.testing.layers import CORE_PATHS, core_tests, one_checkout, setup_core
from tools.testing.turns import commits

PARTS = 6  # of the numerical tests: as much as one commit pays for
_X86 = {"x86_64", "amd64"}
_NO_X86 = "this processor is no x86"


@dataclass(frozen=True)
class Setting:
    """Names of instruction sets for ATen and oneDNN, "" for all that the processor has."""

    threads: int
    aten: str = ""
    onednn: str = ""

    @property
    def name(self) -> str:
        parts = [f"{self.threads} thread" + ("s" if self.threads > 1 else "")]
        parts += [f"ATen {self.aten}"] if self.aten else []
        parts += [f"oneDNN {self.onednn}"] if self.onednn else []
        return ", ".join(parts)

    @property
    def environment(self) -> dict[str, str]:
        found = {"OMP_NUM_THREADS": str(self.threads), "MKL_NUM_THREADS": str(self.threads)}
        found |= {"ATEN_CPU_CAPABILITY": self.aten} if self.aten else {}
        return found | ({"ONEDNN_MAX_CPU_ISA": self.onednn} if self.onednn else {})


SETTINGS = (
    Setting(1),
    Setting(2),
    Setting(1, aten="default"),
    Setting(2, aten="default"),
    Setting(1, aten="avx2"),
    Setting(2, aten="avx2"),
    Setting(1, onednn="SSE41"),
    Setting(1, onednn="AVX2"),
    Setting(2, aten="default", onednn="SSE41"),
)


def processors() -> list[Job]:
    """The core's tests under every setting."""
    return [setup_core(), *(_under(setting) for setting in SETTINGS)]


def in_turn() -> Job:
    """A part of the core's numerical tests under one of the settings, another with each commit."""
    able = [setting for setting in SETTINGS if _runs(setting)]
    turn = commits() % (len(able) * PARTS)
    part, setting = divmod(turn, len(able))
    before = f"turn {turn + 1} of {len(able) * PARTS}: "
    job = _under(able[setting], before, numerical_tests()[part::PARTS])
    return replace(job, minutes=job.minutes / PARTS)


def numerical_tests() -> tuple[str, ...]:
    """The files of tests that compute; command line and batch do so only by the others' code."""
    core = ROOT / "tests" / "ace_core"
    files = (path for path in sorted(core.rglob("test_*.py")))
    skipped = {core / name for name in ("cli", "batch")}
    return tuple(str(path.relative_to(ROOT)) for path in files if skipped.isdisjoint(path.parents))


def _under(setting: Setting, before: str = "", paths: tuple[str, ...] = CORE_PATHS) -> Job:
    return core_tests(
        f"{before}{setting.name}",
        paths=paths,
        environment={**one_checkout(), **setting.environment},
        missing="" if _runs(setting) else _NO_X86,
    )


def _runs(setting: Setting) -> bool:
    return platform.machine().lower() in _X86 or not (setting.aten or setting.onednn)
