"""Title and note of each workflow in `edit_flows.py` and `sampling_flows.py`."""

CHOOSE = """1. **Choose your file** on *Load Recording*; until then it loads four bars that come \
with the pack."""

NOTES = {
    "cover": (
        "Cover",
        f"""## Cover

{CHOOSE}
2. Describe the new style on *Song* and give the lyrics to sing.
3. Press **Run**: the melody and the rhythm come from the recording, the sound from your text.

**cover_strength** below 1 drops the recording in the last steps; **quantize** off stays close to \
the recording's sound (remix).
""",
    ),
    "style_transfer": (
        "Style transfer",
        f"""## Style transfer

{CHOOSE}
2. Choose on *Sound of* the recording that it shall sound like, and press **Run**.

The melody of one recording in the timbre of another: *Cover* keeps the melody, *Reference Audio* \
adds voices, instruments and mix.

Add a second *Reference Audio* after the first to mix two timbres.
""",
    ),
    "audio_to_audio": (
        "Audio to audio",
        f"""## Audio to audio

{CHOOSE}
2. Describe on *Song* what it shall become, and press **Run**.

Sampling starts from half noise, half recording, and is then conditioned on your text alone. \
**ref_audio_strength** sets how much of the recording is left: 0.3 a hint, 0.5 its outline, 0.7 \
most of it.
""",
    ),
    "new_words": (
        "New words",
        f"""## New words

{CHOOSE}
2. Write its caption and lyrics on *Song*, and the new lyrics on *New words*; press **Run**.

The same song with other lyrics. *Song* holds the caption and the lyrics of the recording as it \
is, *New words* the same caption with the lyrics it is to have. Lines of as many syllables fit best.

**n_min** sets how much is kept: 0 changes most, 0.5 little. **n_avg** of 2 to 4 is steadier and \
takes as many times longer. If the melody is lost, raise *n_min* or set **context** to *codes*.
""",
    ),
    "new_style": (
        "New style",
        f"""## New style

{CHOOSE}
2. Write its caption and lyrics on *Song*, and the new caption on *New words*; press **Run**.

The same song in another style: both *Song* nodes hold the same lyrics; their captions say what \
the recording is and what it is to become. *Understand* describes a recording when you do not know.

**n_max** below 1 lets the last steps follow the new caption alone, which is farther from the \
recording; **n_min** above 0 stays closer to it.
""",
    ),
    "repaint_section": (
        "Fix a section",
        f"""## Fix a section

{CHOOSE}
2. Set **start** and **end** of the section.
3. Describe the whole song and give all of its lyrics, with the new words in their place; press \
**Run**.

As it is, seconds 1 to 3 are generated anew; the rest is the recording itself, sample by sample.

**mode** and **strength** set how firmly the rest is kept while the region is generated. For \
several regions connect *Region Mask*.

To change more of a take press **Use as source** below its waveform: *Load Recording* then loads \
it, with the latent that it was decoded from, and nothing is encoded again.
""",
    ),
    "extend_song": (
        "Extend a song",
        f"""## Extend a song

{CHOOSE}
2. Set **start** and **end**, describe the whole song and press **Run**.

A start below 0 puts new music before the recording, an end beyond it after it. Here three seconds \
come before it, and half a second of the recording is generated anew for a smooth join.

To go on at the end: **start** = length − 2, **end** = length + 20.
""",
    ),
    "add_instrument": (
        "Add an instrument",
        f"""## Add an instrument

{CHOOSE}
2. Choose the **track** to add, and the **bpm** of your recording and the bars on *Region Mask*.
3. Press **Run**.

*Lego* adds one track to a recording, here drums in the first two bars of chords at 125 BPM. The \
track and the mix of both are saved.

Only base models were trained on it. Without *Region Mask* the track plays everywhere.
""",
    ),
    "stems": (
        "Stems",
        f"""## Stems

{CHOOSE}
2. Choose the **track** on *Extract*: *vocals* makes of *Rest* a backing to sing over.
3. Press **Run**.

A track, here the drums, is extracted from a recording and subtracted from it: *Track* is one \
file, *Rest* the other.

The picture shows what is left: the quieter it is where only the track was, the better it was \
extracted. A generative model generates the track anew; it does not cancel like a filter would.

For several stems at once, with levels and a mix, open *stem_board*.
""",
    ),
    "stem_board": (
        "Stem board",
        f"""## Stem board

{CHOOSE}
2. Switch on its tracks on *Make Stems*, *vocals* if somebody sings, and press **Run**.

*Make Stems* extracts drums, bass and keyboard from a recording, one by one; what they leave is \
the stem *residual*.

*Stem Level* sets gain, pan and mute of one stem: here the keyboard is louder, the bass to the \
left and the drums are out. *Save Stems* saves every stem under its own name, *Save Audio* the \
mix, with its peak at -1 dB (**normalization**).

The second *Mixdown* mixes all as they were made, against the recording: its null test reports \
what is left, in dB. With *residual* that is nothing; without it, it shows how good the extraction \
is.
""",
    ),
    "build_up": (
        "Build up a song",
        f"""## Build up a song

{CHOOSE}
2. Choose on *One more track* a recording that plays with it, describe the band and press **Run**.

To a recording, say of a voice or of a kalimba, *Make Stems* adds drums and then bass, with the \
recording and the drums as its source. Tracks are made in the order of the switches.

*Add Stem* adds a recording of your own to the stems, *Take Stem* gives one of them, for any node \
that takes audio.

Only base models were trained on it.
""",
    ),
    "complete_arrangement": (
        "Complete an arrangement",
        f"""## Complete an arrangement

{CHOOSE}
2. Switch on the tracks to add, describe the whole piece and press **Run**.

A voice, or one instrument, gets a band.

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
        f"""## Your own style

{CHOOSE}
2. Choose your adapter on *Load LoRA*, describe the song and press **Run**.

All models from one file, a LoRA of yours on top, and ComfyUI's own **KSampler**.

Put your adapter into **models/loras** and choose it on *Load LoRA*; strength 1 is as it was \
trained. *Encode Audio* encodes the recording for the sampler, and **denoise** sets how much of it \
is generated anew: 1 is all, 0.5 stays close. *ACE-Step DCW* corrects the steps of turbo as the \
official code does; with base or sft it changes nothing.
""",
    ),
}
