"""What a recording is: tempo and beats, key, meter, loudness, clipping, silence, its end."""
