"""What the trained family is held to: one function for each claim of docs/miniature.md, which makes
music with the models and measures it."""
