"""Workflows that mix ComfyUI's own nodes with ours."""

from ace_core.weights.published import LM, TEXT_ENCODER, TURBO, VAE
from tools.workflows.graph import Flow

CAPTION = "slow trip hop, dusty drum loop, deep bass, muted trumpet, smoky female voice"
LYRICS = """[Verse]
Streetlight swims across the glass
Let another taxi pass

[Chorus]
Stay until the needle lifts
Stay until the weather shifts"""

NOTE = """## Stock loaders and sampler

The three models come from ComfyUI's own loaders. What they loaded is used as it is: nothing is \
loaded twice, and LoRAs, fp8 and GGUF stay as their loader made them.

1. **Models**: *DualCLIPLoader* of type **ace** goes straight into our nodes: it holds the text \
encoder and the language model.
2. **Adopt**: *ACE-Step Adopt Model* lets stock samplers do every ACE-Step task. *ACE-Step \
Sampler* takes such a MODEL without it.
3. **Music**: the stock *KSampler*: 8 steps, cfg 1, euler, simple for turbo. *ACE-Step DCW* \
corrects its steps as the official code does; take it out for songs of before.
"""


def native_loaders() -> Flow:
    flow = Flow("native_loaders", "Stock loaders and sampler", NOTE)
    models = flow.group("Models")
    unet = models.fold("UNETLoader", (TURBO,), unet_name=TURBO.name)
    files = {"clip_name1": TEXT_ENCODER.name, "clip_name2": LM.name, "type": "ace"}
    clip = models.fold("DualCLIPLoader", (TEXT_ENCODER, LM), **files).out("CLIP")
    vae = models.fold("VAELoader", (VAE,), vae_name=VAE.name).out("VAE")
    song = flow.group("Song", 1).add(
        "AceStep15Song", caption=CAPTION, lyrics=LYRICS, seconds=0.0, language="en"
    )
    plan = flow.group("Plan", 2)
    thought = plan.fold("AceStep15Think", lm=clip, song=song.out("song")).out("song")
    codes = plan.fold("AceStep15ComposeCodes", lm=clip, song=thought).out("codes")
    music = flow.group("Music", 2)
    adopted = music.fold("AceStep15AdoptModel", model=unet.out("MODEL"))
    task = music.fold("AceStep15TextToMusic", text_encoder=clip, vae=vae, song=thought, codes=codes)
    corrected = music.fold("AceStep15DCW", model=adopted.out("model"), dcw="auto")
    sampler = music.add(
        "KSampler",
        model=corrected.out("model"),
        steps=8,
        cfg=1.0,
        sampler_name="euler",
        scheduler="simple",
        positive=task.out("positive"),
        negative=task.out("negative"),
        latent_image=task.out("latent"),
    )
    result = flow.group("Result", 3)
    audio = result.fold("AceStep15DecodeAudio", latent=sampler.out("LATENT"), vae=vae).out("audio")
    result.add("AceStep15SaveAudio", audio=audio, song=thought)
    return flow
