"""The text encoder of the trained family: its tokenizer, its prompts, its training."""
