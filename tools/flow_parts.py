"""What most workflows have in common: their models, and how the song is heard."""

from ace_core.weights.published import TEXT_ENCODER, TURBO, VAE
from tools.graph import Flow, Group, Node


def models(flow: Flow) -> tuple[Node, Node, Node]:
    group = flow.group("Models", column=0)
    return (
        group.add("AceStep15LoadModel", (TURBO,), file=TURBO.name),
        group.add("AceStep15LoadTextEncoder", (TEXT_ENCODER,), file=TEXT_ENCODER.name),
        group.add("AceStep15LoadVAE", (VAE,), file=VAE.name),
    )


def listen(group: Group, sampler: Node, vae: Node, song: Node) -> None:
    """Decode, save and draw."""
    latent, autoencoder = sampler.out("latent"), vae.out("vae")
    audio = group.add("AceStep15DecodeAudio", latent=latent, vae=autoencoder).out("audio")
    group.add("AceStep15SaveAudio", audio=audio, song=song.out("song"))
    image = group.add("AceStep15Picture", audio=audio).out("image")
    group.add("PreviewImage", images=image)
