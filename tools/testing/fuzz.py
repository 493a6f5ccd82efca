"""Run every fuzz target with new inputs for SECONDS: `python -m tools.testing.fuzz [SECONDS]`.

Each round is a process of its own, so an input that ends the process is found, too. At the end a
table says how many inputs each target got; the exit status is 1 where one failed, with hypothesis's
smallest failing input above it.
"""

import os
import re
import secrets
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

ROOT = Path(__file__).parents[2]
HOUR = 3_600
EXAMPLES = 1_000  # per target and round


def main(seconds: float) -> int:
    """The exit status."""
    end, counts, failed = time.monotonic() + seconds, Counter[str](), 0
    while time.monotonic() < end:
        seed = secrets.randbits(32)
        command = [sys.executable, "-m", "pytest", "tests/fuzz", "-q", "-p", "no:cacheprovider"]
        done = subprocess.run(
            [*command, f"--hypothesis-seed={seed}"],
            cwd=ROOT,
            env={**os.environ, "FUZZ_EXAMPLES": str(EXAMPLES)},
            capture_output=True,
            text=True,
            check=False,
        )
        for name, count in re.findall(r"^fuzz test_(\w+) (\d+)$", done.stdout, re.MULTILINE):
            counts[name] += int(count)
        if done.returncode:
            failed += 1
            print(f"seed {seed}, exit status {done.returncode}\n{done.stdout}{done.stderr}")
        print(f"{sum(counts.values()):,} inputs, {failed} rounds failed", flush=True)
    print("\n".join(f"{name:40}{count:>10,}" for name, count in sorted(counts.items())))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(float(sys.argv[1]) if len(sys.argv) > 1 else HOUR))
