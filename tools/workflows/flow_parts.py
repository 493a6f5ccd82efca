"""What most workflows have in common: their models, and how the song is heard."""

from typing import Any

from ace_core.weights.published import TEXT_ENCODER, TURBO, VAE, ModelFile
from tools.workflows.graph import Flow, Group, Node, Out


def models(flow: Flow, dit: ModelFile = TURBO) -> tuple[Node, Node, Node]:
    """The VAE is in a group of its own: it is needed at both ends of a graph."""
    group = flow.group("Models")
    return (
        group.add("AceStep15LoadModel", (dit,), file=dit.name),
        group.add("AceStep15LoadTextEncoder", (TEXT_ENCODER,), file=TEXT_ENCODER.name),
        flow.group("Autoencoder").add("AceStep15LoadVAE", (VAE,), file=VAE.name),
    )


def words_to_music(group: Group, nodes: tuple[Node, Node, Node], song: Out, **given: Any) -> Node:
    """The task of a new song, for the models of `nodes`."""
    _, text_encoder, vae = nodes
    links = {"text_encoder": text_encoder.out("text_encoder"), "vae": vae.out("vae"), "song": song}
    return group.add("AceStep15TextToMusic", **links, **given)


def sampled(group: Group, model: Node, task: Node, times: Node, **given: Any) -> Node:
    """Our sampler on a task; what is `given` comes before what the task says."""
    asked = {name: task.out(name) for name in ("positive", "negative", "latent")}
    links = {"model": model.out("model"), "sigmas": times.out("sigmas"), **asked}
    return group.add("AceStep15Sampler", **links | given)


def listen(flow: Flow, sampler: Node, vae: Node, song: Node) -> None:
    """Decode, draw and save."""
    decode = flow.group("Decode").add(
        "AceStep15DecodeAudio", latent=sampler.out("latent"), vae=vae.out("vae")
    )
    audio = decode.out("audio")
    heard = flow.group("Output")
    image = heard.add("AceStep15Picture", audio=audio).out("image")
    heard.add("AceStep15SaveAudio", audio=audio, song=song.out("song"))
    flow.group("Picture").add("PreviewImage", images=image)
