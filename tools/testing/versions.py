"""The oldest and the newest versions that we claim, each in an environment below build/versions/.

`python3 -m tools.testing.versions oldest` makes one; `make test-versions` runs the core's tests in
both. torch comes from the common index as it is, for NVIDIA: some gigabytes each.
"""

import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tools.hosts.checkout import ROOT
from tools.testing.environments import make
from tools.testing.jobs import Job
from tools.testing.layers import core_tests, setup

_FOLDER = ROOT / "build" / "versions"
_TESTS = ("pytest==9.2.0", "hypothesis", "vector-quantize-pytorch==1.32.0")
_USED = ("soundfile", "av>=14", "pillow", "psutil", "pyyaml", "tqdm")
_ORACLE = ("importlib_metadata", "httpx<1")  # what diffusers imports beside


@dataclass(frozen=True)
class Combination:
    """`alone` is installed without what it asks for: the oracle asks for newer packages."""

    name: str
    python: str
    packages: tuple[str, ...]
    alone: str

    @property
    def place(self) -> Path:
        return _FOLDER / self.name

    @property
    def where(self) -> str:
        return ", ".join([self.name, f"Python {self.python}", *self.packages[:2]])


COMBINATIONS = (
    Combination(
        "oldest",
        "3.10",
        ("torch==2.5.1", "transformers==4.50.3", "numpy==1.25.0", "safetensors==0.4.3"),
        "diffusers==0.39.0",  # it asks for safetensors 0.8
    ),
    Combination(
        "newest",
        "3.13",
        ("torch==2.14.1", "transformers==5.24.0", "numpy<3", "safetensors"),
        "diffusers==0.42.1",
    ),
)


def versions() -> list[Job]:
    """The core's tests in each combination."""
    return [job for each in COMBINATIONS for job in _jobs(each)]


def interpreter(version: str) -> Path | None:
    """A Python such as "3.10": python3.10 on the PATH, else one of pyenv's."""
    found = shutil.which(f"python{version}")
    if found is not None and _runs(Path(found)):
        return Path(found)
    pyenv = shutil.which("pyenv")
    if pyenv is None:
        return None
    done = subprocess.run([pyenv, "root"], capture_output=True, text=True, check=True)
    places = sorted(Path(done.stdout.strip()).glob(f"versions/{version}.*/bin/python"))
    return next((place for place in reversed(places) if _runs(place)), None)


def _runs(python: Path) -> bool:
    """A shim of pyenv is there for every Python, and runs only the one that was chosen."""
    return subprocess.run([python, "--version"], capture_output=True, check=False).returncode == 0


def _jobs(each: Combination) -> list[Job]:
    if interpreter(each.python) is None:
        lacking = f"no Python {each.python} on the PATH or in pyenv"
        return [core_tests(each.where, each.place, missing=lacking)]
    make_it = setup(f"versions {each.name}", sys.executable, "-m", __spec__.name, each.name)
    return [make_it, core_tests(each.where, each.place, needs=(make_it.name,))]


def _make(each: Combination) -> None:
    python = interpreter(each.python)
    if python is None:
        raise FileNotFoundError(f"There is no Python {each.python}.")
    wanted = (*each.packages, *_USED, *_ORACLE, *_TESTS)
    make(each.place, [Path(__file__)], [wanted, ("--no-deps", each.alone)], python)


if __name__ == "__main__":
    for combination in COMBINATIONS:
        if combination.name in sys.argv[1:]:
            _make(combination)
