"""Stand-in for torchaudio: `functional.resample`, and nothing else."""

from . import functional, transforms

__all__ = ["functional", "transforms"]
__version__ = "0.0.0+standin"
