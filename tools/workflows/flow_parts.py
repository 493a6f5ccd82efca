"""What workflows have in common: models, a song, recordings, and the way to the saved audio."""

from typing import Any

from ace_core.weights.published import TEXT_ENCODER, TURBO, VAE, XL_BASE, ModelFile
from tools.workflows.graph import Flow, Group, Node, Out
from tools.workflows.notes import NOTES

BAND, CHORDS, TUNE = (f"{name}.flac [example]" for name in ("band", "chords", "tune"))
BPM = 125  # of these recordings, which come with the pack
STYLE = "jazz trio, upright bass, brushed drums, warm piano, female voice, late night club"
LYRICS = """[Verse]
Rain is writing on the glass
All the slow trains that I pass"""
NEW_STYLE = "synthwave, analog synths, gated drums, deep bass, female voice, neon night drive"
NEW_LYRICS = """[Verse]
Morning paints the kitchen wall
Every bird repeats my call"""


def load_models(flow: Flow, dit: ModelFile = TURBO) -> tuple[Node, Node, Node]:
    """The diffusion model, the text encoder and the VAE. The VAE has a group of its own: it is
    needed at both ends of a graph."""
    group = flow.group("Models")
    return (
        group.add("AceStep15LoadModel", (dit,), file=dit.name),
        group.add("AceStep15LoadTextEncoder", (TEXT_ENCODER,), file=TEXT_ENCODER.name),
        flow.group("Autoencoder").add("AceStep15LoadVAE", (VAE,), file=VAE.name),
    )


def load_recording(group: Group, file: str = BAND) -> Out:
    """A recording that comes with the pack, until the user chooses one."""
    return group.add("AceStep15LoadRecording", audio=file).out("audio")


def text_to_music_task(
    group: Group, models: tuple[Node, Node, Node], song: Out, **inputs: Any
) -> Node:
    """The task of a new song; `models` are those of `load_models`."""
    _, text_encoder, vae = models
    links = {"text_encoder": text_encoder.out("text_encoder"), "vae": vae.out("vae"), "song": song}
    return group.add("AceStep15TextToMusic", **links, **inputs)


def add_sampler(group: Group, model: Node, task: Node, schedule: Node, **inputs: Any) -> Node:
    """Our sampler on a task; `inputs` replace what the task is wired to."""
    links = {"model": model.out("model"), "sigmas": schedule.out("sigmas")}
    links |= {name: task.out(name) for name in ("positive", "negative", "latent")}
    return group.add("AceStep15Sampler", **links | inputs)


def decode_and_save(flow: Flow, sampler: Node, vae: Node, song: Node) -> None:
    """Decode, draw and save."""
    decode = flow.group("Decode").add(
        "AceStep15DecodeAudio", latent=sampler.out("latent"), vae=vae.out("vae")
    )
    audio = decode.out("audio")
    output = flow.group("Output")
    image = output.add("AceStep15Picture", audio=audio).out("image")
    output.add("AceStep15SaveAudio", audio=audio, song=song.out("song"))
    flow.group("Picture").add("PreviewImage", images=image)


class FlowBuilder:
    """Builds a flow of one task: with its models, a song and recordings."""

    def __init__(self, name: str, base: bool = False) -> None:
        title, note = NOTES[name]
        self.flow = Flow(name, title, note)
        self.model, self.text, self.vae = load_models(self.flow, XL_BASE if base else TURBO)

    def group(self, title: str) -> Group:
        return self.flow.group(title)

    def song(self, caption: str, lyrics: str = "", **fields: object) -> Node:
        group = self.group("Song")
        return group.add("AceStep15Song", caption=caption, lyrics=lyrics, **fields)

    def recording(self, file: str = BAND, title: str = "Recording") -> Out:
        return load_recording(self.group(title), file)

    def task(self, kind: str, song: Node, source: Out | None, **inputs: object) -> Node:
        links: dict[str, object] = {"text_encoder": self.text.out("text_encoder")}
        links |= {"vae": self.vae.out("vae"), "song": song.out("song")}
        if source is not None:
            links["source"] = source
        group = self.group("Task")
        return group.add(f"AceStep15{kind}", **links, **inputs)

    def schedule(self, **inputs: object) -> Node:
        group = self.group("Steps")
        return group.add("AceStep15Schedule", model=self.model.out("model"), **inputs)

    def sampler(self, task: Node, schedule: Node, **inputs: object) -> Node:
        return add_sampler(self.group("Music"), self.model, task, schedule, **inputs)

    def finish(self, sampler: Node, song: Node) -> Flow:
        """The flow, with decoding and saving added."""
        decode_and_save(self.flow, sampler, self.vae, song)
        return self.flow
