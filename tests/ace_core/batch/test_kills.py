"""-9 before every file operation of a batch: whatever was reached, going on makes it whole."""

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_a_batch_killed_anywhere_goes_on_to_every_song_once(tmp_path: Path):
    command = [sys.executable, str(Path(__file__).with_name("killed.py")), str(tmp_path)]
    done = subprocess.run(
        command,
        cwd=ROOT,
        env={"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert [point for point in found if point["faults"]] == []
    before = [point["before"] for point in found]
    assert len(before) > 20
    for operation in ("os.link batch.json", "os.link 0.wav", "open manifest.jsonl"):
        assert before.count(operation) >= 1
