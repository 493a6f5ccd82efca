"""The world that the trained miniature knows: 64 sounds, and pieces of music made of them.

A piece is a roll [T, 64]: how hard each sound is struck in each latent frame of 40 ms. Its audio is
the sum of the sounds, so a roll is also the piece's latent, and its channels are its stems.
"""
