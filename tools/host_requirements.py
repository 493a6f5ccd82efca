"""Print a ComfyUI checkout's requirements without torch and what would replace it.

torch is installed first, as a CPU build where one is offered. torchvision and torchaudio have no
CPU wheel for it on the common index, so the host tests bring small stand-ins for them; spandrel
asks for torchvision and is installed by itself, without what it asks for.
"""

import re
import sys
from pathlib import Path

INSTALLED_APART = {"torch", "torchvision", "torchaudio", "spandrel"}


def kept(line: str) -> bool:
    return re.split(r"[<>=~!\[ ]", line.strip(), maxsplit=1)[0].lower() not in INSTALLED_APART


if __name__ == "__main__":
    requirements = Path(sys.argv[1]).read_text().splitlines()
    print("\n".join(line for line in requirements if kept(line)))
