"""What this pack touches of ComfyUI, and what each version of ComfyUI gives of it."""
