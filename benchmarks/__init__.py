"""Ratios against peers measured in the same run. Never a test, never an absolute promise."""
