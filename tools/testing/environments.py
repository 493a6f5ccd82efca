"""The Python environments of this repository: the core's, and one for each ComfyUI.

`python3 -m tools.testing.environments` makes what is not there yet or whose requirements changed:
`.venv`, and `.venv-hosts/<version>` from each checkout's own requirements. With `core` or
`host CHECKOUT` it makes that one; with `run ARGUMENTS` it makes what one run needs, and runs Python
with the arguments in it: the environment of the one ComfyUI that there is, else the core's.
"""

import hashlib
import json
import re
import subprocess
import sys
from pathlib import Path

from tools.hosts.checkout import ROOT, CheckoutError, environment_of, find_checkout, find_checkouts

CORE = ROOT / ".venv"
_TORCH = ROOT / "tools" / "testing" / "install_torch.sh"
_CORE = ROOT / "requirements-dev.txt"
_HOST = (ROOT / "requirements.txt", ROOT / "requirements-host.txt")
_REPLACED = {"torch", "torchvision", "torchaudio", "spandrel"}
_TOLD = ("torch", "numpy", "transformers", "safetensors", "diffusers")
_VERSIONS = f"""
import importlib.metadata, json, platform
found = {{"python": platform.python_version()}}
for name in {_TOLD!r}:
    try:
        found[name] = importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError:
        pass
print(json.dumps(found))
"""


def python_of(environment: Path) -> Path:
    return environment / "bin" / "python"


def make_core() -> None:
    """Make or mend `.venv`; raises as `make` does."""
    make(CORE, [_CORE, _TORCH], [("-r", str(_CORE))])


def make_host(checkout: Path) -> None:
    """Make or mend the environment of a checkout, from the checkout's own requirements; raises as
    `make` does.

    torch comes first, as a CPU build where one is offered. torchvision and torchaudio have none for
    it on the common index, so the host tests bring small stand-ins; spandrel asks for torchvision
    and is installed without what it asks for.
    """
    place, theirs = environment_of(checkout), checkout / "requirements.txt"
    lines = theirs.read_text(encoding="utf-8").splitlines()
    own = [line.strip() for line in lines if _package(line) not in {"", *_REPLACED}]
    files = [part for file in _HOST for part in ("-r", str(file))]
    make(place, [theirs, *_HOST, _TORCH], [(*own, *files), ("--no-deps", "spandrel")])


def make(
    place: Path,
    inputs: list[Path],
    installs: list[tuple[str, ...]],
    python: Path | None = None,
) -> None:
    """Make or mend an environment, unless it was made of the same `inputs`.

    Nothing is compiled: of some ten thousand modules a run imports a tenth, and what is imported
    is compiled then, once.

    Args:
        installs: arguments of one `pip install` each; torch comes first, unless `python` is given.
        python: whose environment it is; None is the Python that runs this.

    Raises:
        subprocess.CalledProcessError: a package could not be installed.
    """
    stamp = place / ".done"
    made_of = hashlib.sha256(b"\0".join(file.read_bytes() for file in inputs)).hexdigest()
    if stamp.is_file() and stamp.read_text(encoding="utf-8") == made_of:
        return
    print(f"Making {place.relative_to(ROOT)} …", flush=True)
    if not python_of(place).exists():
        subprocess.run([python or sys.executable, "-m", "venv", str(place)], check=True)
    if python is None:
        subprocess.run(["sh", str(_TORCH), str(python_of(place))], check=True)
    for arguments in installs:
        command = [str(python_of(place)), "-m", "pip", "install", "-q", "--no-compile", *arguments]
        subprocess.run(command, check=True)
    stamp.write_text(made_of, encoding="utf-8")


def packages(python: Path) -> dict[str, str]:
    """The versions of Python and of the packages that matter, in the environment of `python`."""
    done = subprocess.run([python, "-c", _VERSIONS], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


def _package(line: str) -> str:
    """The name in a line of requirements, "" where it is a remark."""
    return re.split(r"[<>=~!#\[; ]", line.strip(), maxsplit=1)[0].lower()


def _run(arguments: list[str]) -> int:
    checkout = find_checkout()
    make_core()
    if checkout is not None:
        make_host(checkout)
    place = CORE if checkout is None else environment_of(checkout)
    return subprocess.run([python_of(place), *arguments], check=False).returncode


def main(arguments: list[str]) -> int:
    try:
        match arguments:
            case ["run", *rest]:
                return _run(rest)
            case ["core"]:
                make_core()
            case ["host", checkout]:
                make_host(Path(checkout))
            case []:
                checkouts = find_checkouts()
                make_core()
                for checkout in checkouts:
                    make_host(checkout)
            case _:
                print(__doc__, file=sys.stderr)
                return 2
    except CheckoutError as error:
        print(f"!!! {error} !!!", file=sys.stderr)
        return 1
    except subprocess.CalledProcessError as error:
        print(f"!!! This failed: {' '.join(map(str, error.cmd))} !!!", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
