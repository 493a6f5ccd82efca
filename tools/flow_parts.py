"""What most workflows have in common: their models, and how the song is heard."""

from ace_core.weights.published import TEXT_ENCODER, TURBO, VAE, ModelFile
from tools.graph import Flow, Node

LOWER = 480  # pixels: where the second half of a graph starts


def models(flow: Flow, dit: ModelFile = TURBO) -> tuple[Node, Node, Node]:
    """The VAE stands below the task, so that its wire to the decoder crosses nothing."""
    group = flow.group("Models", column=0)
    return (
        group.add("AceStep15LoadModel", (dit,), file=dit.name),
        group.add("AceStep15LoadTextEncoder", (TEXT_ENCODER,), file=TEXT_ENCODER.name),
        flow.group("Autoencoder", column=0, top=100).add("AceStep15LoadVAE", (VAE,), file=VAE.name),
    )


def listen(flow: Flow, sampler: Node, vae: Node, song: Node, column: int = 3) -> None:
    """Decode, draw and save, from `column` on."""
    decode = flow.group("Sound", column, top=LOWER).add(
        "AceStep15DecodeAudio", latent=sampler.out("latent"), vae=vae.out("vae")
    )
    audio = decode.out("audio")
    heard = flow.group("Listen", column + 1, top=LOWER)
    image = heard.add("AceStep15Picture", audio=audio).out("image")
    heard.add("AceStep15SaveAudio", audio=audio, song=song.out("song"))
    flow.group("Look", column + 2, top=LOWER).add("PreviewImage", images=image)
