"""Where the weights of the trained family lie. So far that is its VAE alone."""

from pathlib import Path
from typing import Final

TRAINED: Final = Path(__file__).with_name("family")
