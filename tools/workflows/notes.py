"""Title and note of each workflow in `edit_flows.py` and `sampling_flows.py`."""

NOTES = {
    "cover": (
        "Cover",
        """## Cover

Choose a recording on *Load Audio*, describe the new style and give the lyrics to sing. The \
melody and the rhythm come from the recording, the sound from your text.

**cover_strength** below 1 drops the recording in the last steps; **quantize** off stays close to \
the recording's sound (remix).
""",
    ),
    "style_transfer": (
        "Style transfer",
        """## Style transfer

The melody of one recording in the timbre of another: *Cover* keeps the melody, *Reference Audio* \
adds voices, instruments and mix.

Add a second *Reference Audio* after the first to mix two timbres.
""",
    ),
    "audio_to_audio": (
        "Audio to audio",
        """## Audio to audio

Sampling starts from half noise, half recording, and is then conditioned on your text alone. \
**ref_audio_strength** sets how much of the recording is left: 0.3 a hint, 0.5 its outline, 0.7 \
most of it.
""",
    ),
    "new_words": (
        "New words",
        """## New words

The same song with other lyrics. *Song* holds the caption and the lyrics of the recording as it \
is, *New words* the same caption with the lyrics it is to have. Lines of as many syllables fit best.

**n_min** sets how much is kept: 0 changes most, 0.5 little. **n_avg** of 2 to 4 is steadier and \
takes as many times longer. If the melody is lost, raise *n_min* or set **context** to *codes*.
""",
    ),
    "new_style": (
        "New style",
        """## New style

The same song in another style: both *Song* nodes hold the same lyrics; their captions say what \
the recording is and what it is to become. *Understand* describes a recording when you do not know.

**n_max** below 1 lets the last steps follow the new caption alone, which is farther from the \
recording; **n_min** above 0 stays closer to it.
""",
    ),
    "repaint_section": (
        "Repaint a section",
        """## Repaint a section

Seconds 1 to 3 of the recording are generated anew; the rest is the recording itself, sample by \
sample. Set **start** and **end**, describe the whole song and give all of its lyrics, with the \
new words in their place.

**mode** and **strength** set how firmly the rest is kept while the region is generated. For \
several regions connect *Region Mask*.

For a song that was made here connect its latent to **source_latent** as well: it is then not \
encoded again. *SaveLatent* and *LoadLatent* keep it for another day.
""",
    ),
    "extend_song": (
        "Extend a song",
        """## Extend a song

A start below 0 puts new music before the recording, an end beyond it after it. Here three seconds \
come before it, and half a second of the recording is generated anew for a smooth join.

To go on at the end: **start** = length − 2, **end** = length + 20.
""",
    ),
    "add_instrument": (
        "Add an instrument",
        """## Add an instrument

*Lego* adds one track to a recording, here drums in the first two bars at 120 BPM. The \
track and the mix of both are saved.

Only base models were trained on it. Without *Region Mask* the track plays everywhere.
""",
    ),
    "stems": (
        "Stems",
        """## Stems

The voice is extracted from a recording and subtracted from it: *Voice* is one file, *Backing*, to \
sing over, the other. Choose another **track** on *Extract* for drums, bass or guitar.

The picture shows what is left: the quieter it is where only the voice was, the better it was \
extracted. A generative model generates the track anew; it does not cancel like a filter would.

For several stems at once, with levels and a mix, open *stem_board*.
""",
    ),
    "stem_board": (
        "Stem board",
        """## Stem board

*Make Stems* extracts vocals, drums and bass from a recording, one by one; what they leave is the \
stem *residual*. Switch on other tracks as you like.

*Stem Level* sets gain, pan and mute of one stem: here the voice is louder, the bass to the left \
and the drums are out. *Save Stems* saves every stem under its own name, *Save Audio* the mix, \
with its peak at -1 dB (**normalization**).

The second *Mixdown* mixes all as they were made, against the recording: its null test reports \
what is left, in dB. With *residual* that is nothing; without it, it shows how good the extraction \
is.
""",
    ),
    "build_up": (
        "Build up a song",
        """## Build up a song

To a recording, say of a voice, *Make Stems* adds drums and then bass, with the voice and the \
drums as its source. Tracks are made in the order of the switches.

*Add Stem* adds a recording of your own to the stems, *Take Stem* gives one of them, for any node \
that takes audio.

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

Three takes of one song. All start from seed 1 (**seeds**), each with a fifth of a second noise of \
its own mixed in. Switch between 1, 2 and 3 on *Save Audio*: each plays on from the same moment, \
equally loud.

Raise **retake_variance** to go farther: 0 is the song itself, 1 another one. Change \
**retake_seed** for three others. More takes: **batch_size**, and as many **seeds**.
""",
    ),
    "high_quality_base": (
        "High quality with base",
        """## High quality with base

64 steps of a base model with APG guidance at 7, switched off in the first and the last steps, \
where it does more harm than good. Try **kind** adg, or solver *heun* with half the steps.

So many steps take a while: every 16 of them press play on the sampler for two seconds of the song \
as it is so far. Stop the run if it goes the wrong way.
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
trained. *Encode Audio* encodes the recording for the sampler, and **denoise** sets how much of it \
is generated anew: 1 is all, 0.5 stays close. *ACE-Step DCW* corrects the steps of turbo as the \
official code does; with base or sft it changes nothing.
""",
    ),
}
