"""The ten examples of the published API, one a file. `python -m examples` runs them all."""
