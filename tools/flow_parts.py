"""What most workflows have in common: their models, and how the song is heard."""

from ace_core.weights.published import TEXT_ENCODER, TURBO, VAE, ModelFile
from tools.graph import Flow, Node


def models(flow: Flow, dit: ModelFile = TURBO) -> tuple[Node, Node, Node]:
    """The VAE is in a group of its own: it is needed at both ends of a graph."""
    group = flow.group("Models")
    return (
        group.add("AceStep15LoadModel", (dit,), file=dit.name),
        group.add("AceStep15LoadTextEncoder", (TEXT_ENCODER,), file=TEXT_ENCODER.name),
        flow.group("Autoencoder").add("AceStep15LoadVAE", (VAE,), file=VAE.name),
    )


def listen(flow: Flow, sampler: Node, vae: Node, song: Node) -> None:
    """Decode, draw and save."""
    decode = flow.group("Sound").add(
        "AceStep15DecodeAudio", latent=sampler.out("latent"), vae=vae.out("vae")
    )
    audio = decode.out("audio")
    heard = flow.group("Listen")
    image = heard.add("AceStep15Picture", audio=audio).out("image")
    heard.add("AceStep15SaveAudio", audio=audio, song=song.out("song"))
    flow.group("Look").add("PreviewImage", images=image)
