"""The ComfyUI nodes of the pack: a schema each, and one call of the core."""
