"""Title and note of each workflow in `edit_flows.py` and `sampling_flows.py`."""

NOTES = {
    "cover": (
        "Cover",
        """## Cover

Choose a recording on *Load Audio*, describe the new style and give the lyrics to sing. The tune \
and the rhythm come from the recording, the sound from your words.

**cover_strength** below 1 lets the song go its own way in the last steps; **quantize** off stays \
close to the recording's sound (remix).
""",
    ),
    "style_transfer": (
        "Style transfer",
        """## Style transfer

The tune of one recording in the sound of another: *Cover* keeps the tune, *Reference Audio* \
brings voices, instruments and mix.

Add a second *Reference Audio* behind the first to mix two sounds.
""",
    ),
    "audio_to_audio": (
        "Audio to audio",
        """## Audio to audio

The recording is only the place to start from: half noise, half recording, and then your words \
alone. **ref_audio_strength** says how much of it is left: 0.3 a hint, 0.5 its outline, 0.7 most \
of it.
""",
    ),
    "repaint_section": (
        "Repaint a section",
        """## Repaint a section

Seconds 1 to 3 of the recording are written anew; the rest is the recording itself, sample by \
sample. Set **start** and **end**, describe the whole song and give all of its lyrics, the new \
words in their place.

**mode** and **strength** say how firmly the rest is held while the region is written. For several \
regions connect *Region Mask*.
""",
    ),
    "extend_song": (
        "Extend a song",
        """## Extend a song

A start below 0 puts new music before the recording, an end past it behind. Here three seconds \
come before it, and half a second of the recording is written anew, so that the join is music.

To go on at the end: **start** = length − 2, **end** = length + 20.
""",
    ),
    "add_instrument": (
        "Add an instrument",
        """## Add an instrument

*Lego* plays one more track to a recording, here drums in the first two bars at 120 BPM. The \
track and the mix of both are saved.

Only base models were trained on it. Without *Region Mask* the track plays everywhere.
""",
    ),
    "stems": (
        "Stems",
        """## Stems

The voice is taken out of a recording and subtracted from it: *Voice* is one file, *Backing*, to \
sing over, the other. Choose another **track** on *Extract* for drums, bass or guitar.

The picture shows what is left: the quieter it is where only the voice was, the better it was \
taken out. A generative model plays the track anew; it does not cancel like a filter would.

For several stems at once, with levels and a mix, open *stem_board*.
""",
    ),
    "stem_board": (
        "Stem board",
        """## Stem board

*Make Stems* takes vocals, drums and bass out of a recording, one by one; what they leave is the \
stem *rest*. Switch on other tracks as you like.

*Stem Level* sets gain, pan and mute of one stem: here the voice is louder, the bass to the left \
and the drums are out. *Save Stems* saves every stem under its own name.

The second *Mixdown* mixes all as they were made, against the recording: its null test says what \
is left, in dB. With *rest* that is nothing; without it, it says how well they were taken out.
""",
    ),
    "build_up": (
        "Build up a song",
        """## Build up a song

Upon a recording, say of a voice, *Make Stems* plays drums and then bass, which hears the voice \
and the drums. Tracks are made in the order of the switches.

*Add Stem* puts a recording of your own on the board, *Take Stem* takes one off it, for any node \
that wants sound.

Only base models were trained on it.
""",
    ),
    "complete_arrangement": (
        "Complete an arrangement",
        """## Complete an arrangement

A voice, or one instrument, gets a band: switch on the tracks to add and describe the whole piece.

Only base models were trained on it.
""",
    ),
    "variations": (
        "Variations",
        """## Variations

Three takes of one song. All start from seed 1 (**seeds**), each with a fifth of a draw of its own \
mixed in. Switch between 1, 2 and 3 on *Save Audio*: each plays on from the same moment, equally \
loud.

Raise **retake_variance** to go farther: 0 is the song itself, 1 another one. Change \
**retake_seed** for three others. More takes: **batch_size**, and as many **seeds**.
""",
    ),
    "high_quality_base": (
        "High quality with base",
        """## High quality with base

64 steps of a base model with APG guidance at 7, switched off in the first and the last steps, \
where it does more harm than good. Try **kind** adg, or solver *heun* with half the steps.

So many steps take a while: every 16 of them press play on the sampler and hear two seconds of \
what is there so far. Stop the run if it goes the wrong way.
""",
    ),
    "custom_timesteps": (
        "Custom timesteps",
        """## Custom timesteps

Your own list of flow times, from 1 (noise) to 0 (music). Turbo was trained on 20 of them: with \
**snap** each time moves to the nearest, and the report names every change. Switch it off for \
turbo-continuous, base and sft.
""",
    ),
    "stock_sampler": (
        "Stock sampler",
        """## Stock sampler

The sampler in parts: our noise, guider, solver and schedule in ComfyUI's own \
*SamplerCustomAdvanced*. Each part can be swapped for a stock one: *RandomNoise*, *CFGGuider*, \
*KSamplerSelect*, *BasicScheduler*.
""",
    ),
    "own_style": (
        "Your own style",
        """## Your own style

All models from one file, a LoRA of yours on top, and ComfyUI's own **KSampler**.

Put your adapter into **models/loras** and choose it on *Load LoRA*; strength 1 is as it was \
trained. *Encode Audio* hands the recording to the sampler, and **denoise** says how much of it is \
sung anew: 1 is all, 0.5 stays close.
""",
    ),
}
