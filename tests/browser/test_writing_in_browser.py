"""The writing aids on Song, in the classic canvas and in Nodes 2.0."""

import json
from typing import Any

Found = dict[str, Any]


def test_show(written: Found) -> None:
    print(json.dumps(written, indent=1, ensure_ascii=False))
