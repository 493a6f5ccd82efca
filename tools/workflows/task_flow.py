"""What workflows of one task share: models, a song, recordings, and the way to the sound."""

from ace_core.weights.published import TURBO, XL_BASE
from tools.workflows.flow_parts import listen, models, sampled
from tools.workflows.graph import Flow, Node, Out
from tools.workflows.notes import NOTES

INPUT_AUDIO, OTHER_AUDIO = "song.wav", "reference.wav"  # in ComfyUI's input folder
STYLE = "jazz trio, upright bass, brushed drums, warm piano, female voice, late night club"
LYRICS = """[Verse]
Rain is writing on the glass
All the slow trains that I pass"""


class Desk:
    """A flow with its models, a song and recordings."""

    def __init__(self, name: str, base: bool = False) -> None:
        title, note = NOTES[name]
        self.flow = Flow(name, title, note)
        self.model, self.text, self.vae = models(self.flow, XL_BASE if base else TURBO)

    def song(self, caption: str, lyrics: str = "", **fields: object) -> Node:
        group = self.flow.group("Song")
        return group.add("AceStep15Song", caption=caption, lyrics=lyrics, **fields)

    def recording(self, file: str = INPUT_AUDIO, title: str = "Recording") -> Out:
        group = self.flow.group(title)
        return group.add("LoadAudio", audio=file).out("AUDIO")

    def task(self, kind: str, song: Node, source: Out | None, **given) -> Node:
        links: dict[str, object] = {"text_encoder": self.text.out("text_encoder")}
        links |= {"vae": self.vae.out("vae"), "song": song.out("song")}
        if source is not None:
            links["source"] = source
        group = self.flow.group("Task")
        return group.add(f"AceStep15{kind}", **links, **given)

    def schedule(self, **given: object) -> Node:
        group = self.flow.group("Steps")
        return group.add("AceStep15Schedule", model=self.model.out("model"), **given)

    def sampler(self, task: Node, times: Node, **given: object) -> Node:
        return sampled(self.flow.group("Music"), self.model, task, times, **given)

    def listen(self, sampler: Node, song: Node) -> Flow:
        listen(self.flow, sampler, self.vae, song)
        return self.flow
