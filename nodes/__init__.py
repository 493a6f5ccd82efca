"""The pack's face inside ComfyUI: schemas, and one call of the core each."""
