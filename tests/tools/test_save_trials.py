"""A few of the trials of saving: kills, two processes, full disks. `make test-saving` runs all."""

import subprocess
import sys

import pytest

from tools.hosts.checkout import ROOT

KINDS = 8


@pytest.mark.skipif(sys.platform != "linux", reason="the trials fork and read Linux's limits")
@pytest.mark.parametrize(("trial", "times"), [("kills", 4), ("together", 20), ("full", 3)])
def test_no_saved_file_is_lost_or_torn(trial: str, times: int):
    command = [sys.executable, "-m", "tools.testing.save_trials", trial, "--times", str(times)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(" 0 lost or torn") == KINDS
