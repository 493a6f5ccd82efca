"""Which form of the musical tests runs, and where what the music came to is kept."""

import os
from pathlib import Path
from typing import Final

FORM: Final = "whole" if os.environ.get("MUSIC") == "all" else "quick"  # all: make test-music
REACHED: Final = Path(__file__).with_name("reached.json")  # written by make keep-music
