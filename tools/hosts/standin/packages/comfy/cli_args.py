"""Stand-in for `comfy.cli_args`: the options a ComfyUI was started with, all at their defaults."""

from types import SimpleNamespace

args = SimpleNamespace(cpu=True, disable_metadata=False)
