"""The workflows of the pack, each described once. `python -m tools.make_workflows` writes them."""

from collections.abc import Callable

from ace_core.weights.published import TEXT_ENCODER, TURBO, VAE
from tools.graph import Flow, Node
from tools.lm_flows import full_song_with_lyrics, polish_prompt, song_from_idea, understand_audio

LOWER = 480  # pixels: where the second half of a graph starts

CAPTION = (
    "warm indie folk, fingerpicked acoustic guitar, soft female voice, brushed drums, upright "
    "bass, intimate and hopeful"
)
LYRICS = """[Verse]
Morning finds the kitchen floor
Light is leaning on the door

[Chorus]
Stay a little, let it be
All the world is you and me"""

TEXT_TO_MUSIC_NOTE = """## Text to music

1. **Models**: missing files are offered for download; put them where the button says.
2. **Song**: describe it and write its lyrics. What is on *auto*, the model chooses.
3. Press **Run**. The song appears on *Save Audio* and in `output/audio`.

Steps, shift and guidance follow the model: turbo takes 8 steps and no guidance. Choose *custom* \
on the schedule to set your own. The same seed gives the same song.

For several songs at once raise `batch_size`; each gets a seed of its own.
"""


def text_to_music() -> Flow:
    flow = Flow("text_to_music", "Text to music", TEXT_TO_MUSIC_NOTE)
    model, text_encoder, vae = _models(flow)
    song = flow.group("Song", column=0).add(
        "AceStep15Song", caption=CAPTION, lyrics=LYRICS, seconds=60.0, language="en"
    )
    schedule = flow.group("Steps", column=1, top=60).add(
        "AceStep15Schedule", model=model.out("model")
    )
    task = flow.group("Task", column=1, top=60).add(
        "AceStep15TextToMusic",
        text_encoder=text_encoder.out("text encoder"),
        vae=vae.out("vae"),
        song=song.out("song"),
    )
    sampler = flow.group("Music", column=2).add(
        "AceStep15Sampler",
        model=model.out("model"),
        sigmas=schedule.out("sigmas"),
        positive=task.out("positive"),
        negative=task.out("negative"),
        latent=task.out("latent"),
    )
    _listen(flow, sampler, vae, song)
    return flow


def _models(flow: Flow) -> tuple[Node, Node, Node]:
    """The VAE stands below the task, so that its wire to the decoder crosses nothing."""
    models = flow.group("Models", column=0)
    return (
        models.add("AceStep15LoadModel", (TURBO,), file=TURBO.name),
        models.add("AceStep15LoadTextEncoder", (TEXT_ENCODER,), file=TEXT_ENCODER.name),
        flow.group("Autoencoder", column=0, top=100).add("AceStep15LoadVAE", (VAE,), file=VAE.name),
    )


def _listen(flow: Flow, sampler: Node, vae: Node, song: Node) -> None:
    """Decode, draw and save."""
    decode = flow.group("Sound", column=3, top=LOWER).add(
        "AceStep15DecodeAudio", latent=sampler.out("latent"), vae=vae.out("vae")
    )
    audio = decode.out("audio")
    listen = flow.group("Listen", column=4, top=LOWER)
    image = listen.add("AceStep15Picture", audio=audio).out("image")
    listen.add("AceStep15SaveAudio", audio=audio, song=song.out("song"))
    flow.group("Look", column=5, top=LOWER).add("PreviewImage", images=image)


FLOWS: tuple[Callable[[], Flow], ...] = (
    text_to_music,
    song_from_idea,
    full_song_with_lyrics,
    understand_audio,
    polish_prompt,
)
