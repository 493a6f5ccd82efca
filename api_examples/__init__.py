"""The ten examples of the published API, one a file. `python -m api_examples` runs them all."""
