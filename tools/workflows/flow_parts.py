"""What workflows have in common: models, a song, recordings, and the way to the saved audio."""

from typing import Any

from ace_core.weights.published import LM, TEXT_ENCODER, TURBO, VAE, XL_BASE, ModelFile
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
    """The diffusion model, the text encoder and the VAE."""
    group = flow.group("Models")
    return (
        group.fold("AceStep15LoadModel", (dit,), file=dit.name),
        group.fold("AceStep15LoadTextEncoder", (TEXT_ENCODER,), file=TEXT_ENCODER.name),
        group.fold("AceStep15LoadVAE", (VAE,), file=VAE.name),
    )


def load_lm(flow: Flow) -> Node:
    return flow.group("Models").fold("AceStep15LoadLM", (LM,), file=LM.name)


def load_recording(group: Group, file: str = BAND) -> Out:
    """A recording that comes with the pack, until the user chooses one."""
    return group.add("AceStep15LoadRecording", audio=file).out("audio")


def text_to_music_task(
    group: Group, models: tuple[Node, Node, Node], song: Out, **inputs: Any
) -> Node:
    """The task of a new song; `models` are those of `load_models`."""
    _, text_encoder, vae = models
    links = {"text_encoder": text_encoder.out("text_encoder"), "vae": vae.out("vae"), "song": song}
    return group.fold("AceStep15TextToMusic", **links, **inputs)


def add_sampler(group: Group, model: Node, task: Node, schedule: Node, **inputs: Any) -> Node:
    """Our sampler on a task; `inputs` replace what the task is wired to."""
    links = {"model": model.out("model"), "sigmas": schedule.out("sigmas")}
    links |= {name: task.out(name) for name in ("positive", "negative", "latent")}
    return group.add("AceStep15Sampler", **links | inputs)


def decode(flow: Flow, latent: Out, vae: Node, column: int = 3) -> Out:
    """The sound of a latent, in the group of what one hears."""
    group = flow.group("Result", column)
    return group.fold("AceStep15DecodeAudio", latent=latent, vae=vae.out("vae")).out("audio")


def decode_and_save(flow: Flow, sampler: Node, vae: Node, song: Node, column: int = 3) -> None:
    """Decode, save and draw."""
    audio = decode(flow, sampler.out("latent"), vae, column)
    result = flow.group("Result", column)
    result.add("AceStep15SaveAudio", audio=audio, song=song.out("song"))
    image = result.fold("AceStep15Picture", audio=audio).out("image")
    result.add("PreviewImage", images=image)


class FlowBuilder:
    """Builds a flow of one task: with its models, a song and recordings. `music` is the column
    in which it is made; what one writes is left of it, what one hears right of it."""

    def __init__(self, name: str, base: bool = False, music: int = 2) -> None:
        title, note = NOTES[name]
        self.flow, self.music = Flow(name, title, note), music
        self.model, self.text, self.vae = load_models(self.flow, XL_BASE if base else TURBO)

    def group(self, title: str, column: int) -> Group:
        return self.flow.group(title, column)

    def song(self, caption: str, lyrics: str = "", **fields: object) -> Node:
        group = self.group("Song", 1)
        return group.add("AceStep15Song", caption=caption, lyrics=lyrics, **fields)

    def recording(self, file: str = BAND, title: str = "Recording") -> Out:
        return load_recording(self.group(title, 1), file)

    def task(self, kind: str, song: Node, source: Out | None, **inputs: object) -> Node:
        links: dict[str, object] = {"text_encoder": self.text.out("text_encoder")}
        links |= {"vae": self.vae.out("vae"), "song": song.out("song")}
        if source is not None:
            links["source"] = source
        node = self.making.add(f"AceStep15{kind}", **links, **inputs)
        node.folded = kind == "TextToMusic"
        return node

    @property
    def making(self) -> Group:
        return self.group("Music", self.music)

    def schedule(self, **inputs: object) -> Node:
        """Folded where it follows the model, else beside what one writes."""
        if inputs:
            group = self.group("Steps", 1)
            return group.add("AceStep15Schedule", model=self.model.out("model"), **inputs)
        return self.making.fold("AceStep15Schedule", model=self.model.out("model"))

    def sampler(self, task: Node, schedule: Node, **inputs: object) -> Node:
        return add_sampler(self.making, self.model, task, schedule, **inputs)

    def heard(self, sampler: Node) -> Out:
        return decode(self.flow, sampler.out("latent"), self.vae, self.music + 1)

    def finish(self, sampler: Node, song: Node) -> Flow:
        """The flow, with decoding and saving added."""
        decode_and_save(self.flow, sampler, self.vae, song, self.music + 1)
        return self.flow
