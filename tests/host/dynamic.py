"""The host's dynamic VRAM switched on, as `main.py` does for NVIDIA."""

import importlib

import pytest


def flagged(monkeypatch: pytest.MonkeyPatch) -> None:
    """The flag alone; 0.20.1 makes layers without weights on Windows only."""
    monkeypatch.setattr(importlib.import_module("comfy.memory_management"), "aimdo_enabled", True)
    monkeypatch.setattr(importlib.import_module("comfy.model_management"), "WINDOWS", True)
