"""The VAE of the trained miniature, which is constructed instead of trained.

Its decoder plays the sounds of the world (`decoder.py`), its encoder estimates the roll of a
recording by least squares (`encoder.py`). Both work on the coefficients of a lapped transform
(`transform.py`, `outer.py`), and all of it is weights of the real Oobleck.
"""
