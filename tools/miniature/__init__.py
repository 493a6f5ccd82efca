"""Checkpoints of ACE-Step 1.5 with small widths and random weights, for demo and tests."""

from .checkpoints import Miniature, miniature

__all__ = ["Miniature", "miniature"]
