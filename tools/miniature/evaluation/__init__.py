"""What the trained miniature plays, measured: tempo, meter, key, stems and likeness are read off a
latent, since its channels are the sounds of the world; seams and stems also off its audio.

What the measures come to on composed pieces, and on pieces against the requests of others, is in
docs/miniature.md.
"""
