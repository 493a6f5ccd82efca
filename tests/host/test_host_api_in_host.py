"""Every listed name is in the ComfyUI at hand, as the record of its version says."""

import json
import os
import subprocess
import sys
from pathlib import Path

from tools.docs.hosts_page import VERSIONS, record
from tools.hosts.api import table
from tools.hosts.checkout import ROOT


def test_each_listed_name_is_here(checkout: Path) -> None:
    command = [sys.executable, "-m", "tools.docs.hosts_page", "--print"]
    made = subprocess.run(
        command,
        cwd=ROOT,
        env={**os.environ, "COMFYUI_PATH": str(checkout)},
        capture_output=True,
        text=True,
        timeout=600,
        check=True,
    )
    version, found = json.loads(made.stdout.splitlines()[-1])
    lacking = [name for name in table.NOT_IN_ALL if version < table.NOT_IN_ALL[name]]
    assert [name for name, how in found.items() if how == "absent"] == lacking
    if version in VERSIONS:
        known = record(version)
        assert {n: (how, known[n]) for n, how in found.items() if how != known[n]} == {}
