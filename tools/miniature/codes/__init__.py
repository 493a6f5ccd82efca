"""The audio codes of the trained family: what each of them means, and the two networks for them."""
