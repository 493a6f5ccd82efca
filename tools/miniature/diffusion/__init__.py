"""The diffusion models of the trained family: base for six tasks, turbo for eight steps."""
