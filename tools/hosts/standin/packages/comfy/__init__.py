"""Stand-in for the part of ComfyUI's `comfy` that this pack's `nodes/host.py` touches."""
