"""The trained family's language model: its examples, its training, and what it has learnt."""
