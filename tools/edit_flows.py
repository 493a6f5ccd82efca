"""Workflows that start from a recording, and those that take sampling into one's own hands."""

from typing import Any

from ace_core.weights.published import ALL_IN_ONE, TURBO, XL_BASE
from tools.edit_notes import NOTES
from tools.flow_parts import listen, models
from tools.graph import Flow, Node, Out

OWN_LORA = "my_style.safetensors"  # what the user trained, in models/loras
INPUT_AUDIO, OTHER_AUDIO = "song.wav", "reference.wav"  # in ComfyUI's input folder
STYLE = "jazz trio, upright bass, brushed drums, warm piano, female voice, late night club"
LYRICS = """[Verse]
Rain is writing on the glass
All the slow trains that I pass"""


class _Desk:
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
        links: dict[str, object] = {"text_encoder": self.text.out("text encoder")}
        links |= {"vae": self.vae.out("vae"), "song": song.out("song")}
        if source is not None:
            links["source"] = source
        group = self.flow.group("Task")
        return group.add(f"AceStep15{kind}", **links, **given)

    def schedule(self, **given: object) -> Node:
        group = self.flow.group("Steps")
        return group.add("AceStep15Schedule", model=self.model.out("model"), **given)

    def sampler(self, task: Node, times: Node, positive: Out | None = None, **given) -> Node:
        return self.flow.group("Music").add(
            "AceStep15Sampler",
            model=self.model.out("model"),
            sigmas=times.out("sigmas"),
            positive=positive or task.out("positive"),
            negative=task.out("negative"),
            latent=task.out("latent"),
            **given,
        )

    def listen(self, sampler: Node, song: Node) -> Flow:
        listen(self.flow, sampler, self.vae, song)
        return self.flow


def cover() -> Flow:
    desk = _Desk("cover")
    song, source = desk.song(STYLE, LYRICS, language="en"), desk.recording()
    task = desk.task("Cover", song, source)
    return desk.listen(desk.sampler(task, desk.schedule()), song)


def style_transfer() -> Flow:
    desk = _Desk("style_transfer")
    song, source = desk.song(STYLE, LYRICS, language="en"), desk.recording()
    other = desk.recording(OTHER_AUDIO, "Sound of")
    task = desk.task("Cover", song, source, cover_strength=0.8, source_strength=0.1)
    heard = desk.flow.group("Sound").add(
        "AceStep15ReferenceAudio",
        positive=task.out("positive"),
        audio=other,
        vae=desk.vae.out("vae"),
    )
    times = desk.schedule()
    return desk.listen(desk.sampler(task, times, heard.out("positive")), song)


def audio_to_audio() -> Flow:
    desk = _Desk("audio_to_audio")
    song, source = desk.song(STYLE, LYRICS, language="en"), desk.recording()
    task = desk.task("AudioToAudio", song, source)
    return desk.listen(desk.sampler(task, desk.schedule()), song)


def repaint_section() -> Flow:
    desk = _Desk("repaint_section")
    song, source = desk.song(STYLE, LYRICS, language="en"), desk.recording()
    task = desk.task("Repaint", song, source, start=1.0, end=3.0)
    return desk.listen(desk.sampler(task, desk.schedule()), song)


def extend_song() -> Flow:
    desk = _Desk("extend_song")
    song, source = desk.song(STYLE, LYRICS, language="en"), desk.recording()
    task = desk.task("Repaint", song, source, start=-3.0, end=0.5, mode="conservative")
    return desk.listen(desk.sampler(task, desk.schedule()), song)


def add_instrument() -> Flow:
    desk = _Desk("add_instrument", base=True)
    song, source = desk.song("funky drum kit, tight snare"), desk.recording()
    where = desk.flow.group("Where").add(
        "AceStep15RegionMask",
        source=source,
        by="bars",
        **{"by.first_bar": 1, "by.bars": 2, "by.bpm": 120},
    )
    task = desk.task("Lego", song, source, track="drums", mask=where.out("mask"))
    times = desk.schedule()
    desk.flow.group("See").add("PreviewImage", images=where.out("image"))
    sampler = desk.sampler(task, times)
    listen_group = desk.flow.group("Listen")
    track = listen_group.add(
        "AceStep15DecodeAudio", latent=sampler.out("latent"), vae=desk.vae.out("vae")
    )
    mixed = listen_group.add(
        "AudioMerge", audio1=source, audio2=track.out("audio"), merge_method="add"
    )
    for audio, prefix in ((track.out("audio"), "track"), (mixed.out("AUDIO"), "mix")):
        listen_group.add("AceStep15SaveAudio", audio=audio, filename_prefix=f"audio/{prefix}")
    return desk.flow


def stems() -> Flow:
    desk = _Desk("stems", base=True)
    song, source = desk.song("pop song with a singer, drums and bass"), desk.recording()
    task = desk.task("Extract", song, source, track="vocals")
    sampler = desk.sampler(task, desk.schedule())
    sound = desk.flow.group("Sound").add(
        "AceStep15DecodeAudio", latent=sampler.out("latent"), vae=desk.vae.out("vae")
    )
    taken = sound.out("audio")
    desk.flow.group("Voice").add("AceStep15SaveAudio", audio=taken, filename_prefix="audio/vocals")
    rest = desk.flow.group("Backing")
    left = rest.add("AudioMerge", audio1=source, audio2=taken, merge_method="subtract").out("AUDIO")
    rest.add("AceStep15SaveAudio", audio=left, filename_prefix="audio/backing")
    image = rest.add("AceStep15Picture", audio=left).out("image")
    desk.flow.group("Look").add("PreviewImage", images=image)
    return desk.flow


def stem_board() -> Flow:
    desk = _Desk("stem_board", base=True)
    song, source = desk.song("pop song with a singer, drums and bass"), desk.recording()
    made = _made(desk, song, source)
    board = desk.flow.group("Board")
    louder = board.add("AceStep15StemLevel", stems=made, name="vocals", gain=2.0)
    aside = board.add("AceStep15StemLevel", stems=louder.out("stems"), name="bass", pan=-0.2)
    quiet = board.add("AceStep15StemLevel", stems=aside.out("stems"), name="drums", mute=True)
    mixed = desk.flow.group("Mix").add("AceStep15Mixdown", stems=quiet.out("stems"))
    whole = desk.flow.group("Null test").add("AceStep15Mixdown", stems=made, source=source)
    heard = desk.flow.group("Listen")
    heard.add("AceStep15SaveAudio", audio=mixed.out("audio"), filename_prefix="audio/mix")
    heard.add("AceStep15SaveStems", stems=made)
    read = desk.flow.group("Read")
    for report in (mixed.out("report"), whole.out("report")):
        read.add("PreviewAny", source=report)
    return desk.flow


def build_up() -> Flow:
    desk = _Desk("build_up", base=True)
    song, source = desk.song("soul song around a singer, tight drums"), desk.recording()
    only = {"vocals": False, "bass": True, "drums": True}
    made = _made(desk, song, source, mode="build up", **only)
    other = desk.recording(OTHER_AUDIO, "One more track")
    board = desk.flow.group("Board")
    more = board.add("AceStep15AddStem", audio=other, name="shaker", stems=made).out("stems")
    mixed = board.add("AceStep15Mixdown", stems=more)
    drums = board.add("AceStep15TakeStem", stems=more, name="drums").out("audio")
    heard = desk.flow.group("Listen")
    heard.add("AceStep15SaveAudio", audio=mixed.out("audio"), filename_prefix="audio/mix")
    heard.add("AceStep15SaveAudio", audio=drums, filename_prefix="audio/drums")
    desk.flow.group("Read").add("PreviewAny", source=mixed.out("report"))
    return desk.flow


def _made(desk: _Desk, song: Node, source: Out, **given: Any) -> Out:
    """The stems of a recording."""
    times = desk.schedule().out("sigmas")
    node = desk.flow.group("Make").add(
        "AceStep15MakeStems",
        model=desk.model.out("model"),
        text_encoder=desk.text.out("text encoder"),
        vae=desk.vae.out("vae"),
        song=song.out("song"),
        source=source,
        sigmas=times,
        **given,
    )
    return node.out("stems")


def complete_arrangement() -> Flow:
    desk = _Desk("complete_arrangement", base=True)
    song = desk.song("folk rock band around a singer, driving drums, electric bass")
    source = desk.recording()
    task = desk.task("Complete", song, source, drums=True, bass=True, guitar=True)
    return desk.listen(desk.sampler(task, desk.schedule()), song)


def variations() -> Flow:
    desk = _Desk("variations")
    song = desk.song(STYLE, LYRICS, seconds=30.0, language="en")
    task = desk.task("TextToMusic", song, None, batch_size=3)
    retake = {"seeds": "1, 1, 1", "retake_seed": 100, "retake_variance": 0.2}
    return desk.listen(desk.sampler(task, desk.schedule(), **retake), song)


def high_quality_base() -> Flow:
    desk = _Desk("high_quality_base", base=True)
    song = desk.song(STYLE, LYRICS, seconds=60.0, language="en")
    task = desk.task("TextToMusic", song, None)
    times = desk.schedule(settings="custom", **{"settings.steps": 64, "settings.shift": 3.0})
    guidance = desk.flow.group("Guidance").add(
        "AceStep15Guidance", kind="apg", scale=7.0, start=0.1, end=0.95
    )
    sampler = desk.sampler(task, times, guidance=guidance.out("guidance"))
    return desk.listen(sampler, song)


def custom_timesteps() -> Flow:
    desk = _Desk("custom_timesteps")
    song = desk.song(STYLE, LYRICS, seconds=60.0, language="en")
    task = desk.task("TextToMusic", song, None)
    listed: dict[str, Any] = {
        "settings.times": "1, 0.95, 0.9, 0.8, 0.7, 0.55, 0.4, 0.3, 0.2, 0.125, 0"
    }
    times = desk.schedule(settings="timesteps", **listed)
    sampler = desk.sampler(task, times)
    desk.flow.group("What was done").add("PreviewAny", source=times.out("report"))
    return desk.listen(sampler, song)


def stock_sampler() -> Flow:
    desk = _Desk("stock_sampler")
    song = desk.song(STYLE, LYRICS, seconds=60.0, language="en")
    task, times = desk.task("TextToMusic", song, None), desk.schedule()
    parts = desk.flow.group("In parts")
    noise = parts.add("AceStep15Noise")
    guider = parts.add(
        "AceStep15Guider",
        model=desk.model.out("model"),
        positive=task.out("positive"),
        negative=task.out("negative"),
    )
    solver = parts.add("AceStep15Solver", solver="heun")
    sampler = desk.flow.group("Music").add(
        "SamplerCustomAdvanced",
        noise=noise.out("noise"),
        guider=guider.out("guider"),
        sampler=solver.out("sampler"),
        sigmas=times.out("sigmas"),
        latent_image=task.out("latent"),
    )
    group = desk.flow.group("Listen")
    audio = group.add(
        "AceStep15DecodeAudio", latent=sampler.out("output"), vae=desk.vae.out("vae")
    ).out("audio")
    group.add("AceStep15SaveAudio", audio=audio, song=song.out("song"))
    return desk.flow


def own_style() -> Flow:
    """The whole graph on one file and a stock sampler."""
    title, note = NOTES["own_style"]
    flow = Flow("own_style", title, note)
    group = flow.group("Models")
    checkpoint = group.add("AceStep15LoadCheckpoint", (ALL_IN_ONE,), file=ALL_IN_ONE.name)
    styled = group.add("AceStep15LoadLoRA", model=checkpoint.out("model"), file=OWN_LORA)
    song = flow.group("Song").add(
        "AceStep15Song", caption=STYLE, lyrics=LYRICS, seconds=0.0, language="en"
    )
    recording = flow.group("Recording").add("LoadAudio", audio=INPUT_AUDIO).out("AUDIO")
    tasks, vae = flow.group("Task"), checkpoint.out("vae")
    start = tasks.add("AceStep15EncodeAudio", audio=recording, vae=vae)
    task = tasks.add(
        "AceStep15Cover",
        text_encoder=checkpoint.out("text encoder"),
        vae=vae,
        song=song.out("song"),
        source=recording,
    )
    sampler = flow.group("Music").add(
        "KSampler",
        model=styled.out("model"),
        positive=task.out("positive"),
        negative=task.out("negative"),
        latent_image=start.out("latent"),
        seed=0,
        steps=8,
        cfg=1.0,
        sampler_name="euler",
        scheduler="simple",
        denoise=0.8,
    )
    decode = flow.group("Sound").add("AceStep15DecodeAudio", latent=sampler.out("LATENT"), vae=vae)
    flow.group("Listen").add("AceStep15SaveAudio", audio=decode.out("audio"), song=song.out("song"))
    return flow


FLOWS = (
    cover,
    style_transfer,
    audio_to_audio,
    repaint_section,
    extend_song,
    add_instrument,
    stems,
    stem_board,
    build_up,
    complete_arrangement,
    variations,
    high_quality_base,
    custom_timesteps,
    stock_sampler,
    own_style,
)
