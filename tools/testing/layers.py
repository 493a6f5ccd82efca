"""The layers of `make test` on this machine, and what has to be set up for each."""

import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from tools.browser.chromium import MODULES, chromium
from tools.hosts.checkout import ROOT, environment_of, find_checkout, find_checkouts, version_of
from tools.testing.environments import CORE, python_of
from tools.testing.frontends import pairs_of, static_of
from tools.testing.jobs import Job, slug

REPORTS = ROOT / "build" / "tests"
SETUP = "set up"
OTHERS = ("nodes", "host", "browser", "ray", "music")  # layers of their own
CORE_PATHS = ("tests", *(f"--ignore=tests/{each}" for each in OTHERS))
_PLAYWRIGHT = "npm install --no-audit --no-fund --prefix build/browser playwright-core@1".split()
_NO_HOST = "no ComfyUI at COMFYUI_PATH or ~/comfy/ComfyUI*; set COMFYUI_PATH to a checkout"
_NO_RAY = "Ray is not installed; `make test-ray` installs it"
# about how long a layer takes on one of two cores: `jobs.py` begins with the longest
MINUTES = {"browser": 10, "nodes, host": 8, "core": 7, "nodes": 4, "music": 4, "lint": 1, "ray": 1}


def layers(lint: bool = False, every_frontend: bool = False) -> list[Job]:
    """All jobs of a test run; what is set up comes first.

    Raises:
        CheckoutError: COMFYUI_PATH is wrong.
    """
    checkouts = find_checkouts()
    pairs = pairs_of(checkouts, every_frontend)
    return [
        setup_core(),
        *([_lint()] if lint else []),
        *(_setup_host(checkout) for checkout in checkouts),
        core_tests(".venv"),
        tests("music", ".venv", CORE, ("tests/music",)),
        *(_host(checkout) for checkout in checkouts),
        *([] if checkouts else [Job("nodes, host", "ComfyUI", missing=_NO_HOST)]),
        tests("nodes", "stand-in", CORE, ("tests/nodes",)),
        *_browser(pairs),
        _ray(),
    ]


def setup_core() -> Job:
    return setup(".venv", sys.executable, "-m", "tools.testing.environments", "core")


def setup(what: str, *command: str, needs: tuple[str, ...] = ()) -> Job:
    return Job(SETUP, what, (command,), needs=needs)


def core_tests(
    where: str, place: Path = CORE, paths: tuple[str, ...] = CORE_PATHS, **more: Any
) -> Job:
    """The tests that need no host; `more` are further fields of the job."""
    return tests("core", where, place, paths, **more)


def one_checkout() -> dict[str, str | None]:
    """COMFYUI_PATH for tests without a host, some of which read a tokenizer of one."""
    checkout = find_checkout()
    return {"COMFYUI_PATH": None if checkout is None else str(checkout)}


def tests(layer: str, where: str, place: Path, paths: tuple[str, ...], **more: Any) -> Job:
    """pytest on `paths` in the environment at `place`; `more` are further fields of the job."""
    report = REPORTS / f"{slug(f'{layer} {where}')}.xml"
    python = python_of(place)
    options = ("-p", "no:cacheprovider", f"--junitxml={report}")  # a cache is for one run at a time
    fields = {"environment": one_checkout(), "needs": (setup_core().name,)}
    fields |= {"minutes": MINUTES[layer], **more}
    command = (str(python), "-m", "pytest", *paths, *options)
    return Job(layer, where, (command,), report=report, python=python, **fields)


def lacks_browser() -> str:
    """What this machine has not that a page in a browser needs, beside a ComfyUI."""
    found = {"node": shutil.which("node"), "Chromium": chromium()}
    if not _has_playwright():
        found["npm"] = shutil.which("npm")
    lacking = [name for name, place in found.items() if place is None]
    return f"no {' and no '.join(lacking)} on the PATH" if lacking else ""


def _lint() -> Job:
    ruff, pyright = str(CORE / "bin" / "ruff"), str(CORE / "bin" / "pyright")
    commands = ((ruff, "check", "."), (ruff, "format", "--check", "."), (pyright,))
    return Job("lint", ".venv", commands, needs=(setup_core().name,), minutes=MINUTES["lint"])


def _setup_host(checkout: Path) -> Job:
    what = str(environment_of(checkout).relative_to(ROOT))
    command = (sys.executable, "-m", "tools.testing.environments", "host", str(checkout))
    return setup(what, *command)


def _host(checkout: Path) -> Job:
    return tests(
        "nodes, host",
        f"ComfyUI {version_of(checkout)}",
        environment_of(checkout),
        ("tests/nodes", "tests/host"),
        environment={"COMFYUI_PATH": str(checkout)},
        needs=(_setup_host(checkout).name,),
        host=version_of(checkout),
    )


def _browser(pairs: Sequence[tuple[Path, str]]) -> list[Job]:
    """A layer for each ComfyUI and page, and what they need."""
    lacking = lacks_browser() if pairs else _NO_HOST
    if lacking and not pairs:
        return [Job("browser", "ComfyUI", missing=lacking)]
    if lacking:
        return [replace(_visit(*pair, needs=()), missing=lacking) for pair in pairs]
    jobs = [] if _has_playwright() else [setup("playwright-core", *_PLAYWRIGHT)]
    jobs += [_setup_frontend(each) for each in dict.fromkeys(frontend for _, frontend in pairs)]
    common = tuple(job.name for job in jobs)
    return [*jobs, *(_visit(checkout, frontend, common) for checkout, frontend in pairs)]


def _setup_frontend(frontend: str) -> Job:
    command = (str(python_of(CORE)), "-m", "tools.testing.frontends", frontend)
    return setup(f"frontend {frontend}", *command, needs=(setup_core().name,))


def _visit(checkout: Path, frontend: str, needs: tuple[str, ...]) -> Job:
    return tests(
        "browser",
        _page(checkout, frontend),
        environment_of(checkout),
        ("tests/browser",),
        environment={
            "COMFYUI_PATH": str(checkout),
            "COMFYUI_FRONTEND_ROOT": str(static_of(frontend)),
            "OMP_NUM_THREADS": "1",  # one ComfyUI and two browsers, which wait most of the time
        },
        needs=(_setup_host(checkout).name, *needs),
        host=version_of(checkout),
        frontend=frontend,
    )


def _page(checkout: Path, frontend: str) -> str:
    return f"ComfyUI {version_of(checkout)}, frontend {frontend}"


def _has_playwright() -> bool:
    return (MODULES / "playwright-core").is_dir()


def _ray() -> Job:
    if not any(CORE.glob("lib/python*/site-packages/ray/__init__.py")):
        return Job("ray", ".venv", missing=_NO_RAY)
    return tests("ray", ".venv", CORE, ("tests/ray",))
