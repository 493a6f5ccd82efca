"""Functions of the page's scripts, called by node without a browser."""

import json
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from tools.hosts.checkout import ROOT

EXTENSION = Path("extensions") / "acestep15"  # where ComfyUI serves web/
HOST = {"app.js": "export const app = {};", "api.js": "export const api = {};"}

needs_node = pytest.mark.skipif(shutil.which("node") is None, reason="no node on the PATH")


def evaluate(module: str, expression: str) -> Any:
    """The value of a JavaScript `expression` on `m`, what `module` below web/ exports."""
    address = (_page() / EXTENSION / module).as_uri()
    script = f"const address = {json.dumps(address)}; const m = await import(address);"
    script += f"process.stdout.write(JSON.stringify({expression}));"
    command = ["node", "--preserve-symlinks", "--input-type=module", "--eval", script]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"{expression} failed.\n{done.stderr}")
    return json.loads(done.stdout)


@cache
def _page() -> Path:
    """A folder in which web/ and the page's own scripts lie as a browser sees them."""
    page = Path(tempfile.mkdtemp(prefix="page-"))
    (page / "package.json").write_text('{"type": "module"}')
    (page / "scripts").mkdir()
    for name, text in HOST.items():
        (page / "scripts" / name).write_text(text)
    (page / EXTENSION).parent.mkdir()
    (page / EXTENSION).symlink_to(ROOT / "web", target_is_directory=True)
    return page
