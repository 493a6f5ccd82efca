"""Two processes never write one folder, and a dead one never keeps it."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ace_core.batch.lock import locked
from ace_core.errors import BatchError

HOLD = """
import sys, time
from pathlib import Path
from ace_core.batch.lock import locked
with locked(Path(sys.argv[1])):
    print("held", flush=True)
    time.sleep(60)
"""


def test_a_held_folder_names_its_holder_until_that_is_killed(tmp_path: Path):
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as holder:
        assert holder.stdout is not None and holder.stdout.readline() == "held\n"
        with pytest.raises(BatchError, match=f"process {holder.pid}"), locked(tmp_path):
            pass
        os.kill(holder.pid, signal.SIGKILL)
    with locked(tmp_path):
        pass


def test_one_process_cannot_hold_a_folder_twice(tmp_path: Path):
    with locked(tmp_path), pytest.raises(BatchError, match="another batch"), locked(tmp_path):
        pass
    with locked(tmp_path):
        pass
