"""Workflows that start from a recording."""

from typing import Any

from tools.workflows.graph import Flow, Node, Out
from tools.workflows.task_flow import LYRICS, OTHER_AUDIO, STYLE, Desk


def cover() -> Flow:
    desk = Desk("cover")
    song, source = desk.song(STYLE, LYRICS, language="en"), desk.recording()
    task = desk.task("Cover", song, source)
    return desk.listen(desk.sampler(task, desk.schedule()), song)


def style_transfer() -> Flow:
    desk = Desk("style_transfer")
    song, source = desk.song(STYLE, LYRICS, language="en"), desk.recording()
    other = desk.recording(OTHER_AUDIO, "Sound of")
    task = desk.task("Cover", song, source, cover_strength=0.8, source_strength=0.1)
    heard = desk.flow.group("Decode").add(
        "AceStep15ReferenceAudio",
        positive=task.out("positive"),
        audio=other,
        vae=desk.vae.out("vae"),
    )
    times = desk.schedule()
    return desk.listen(desk.sampler(task, times, positive=heard.out("positive")), song)


def audio_to_audio() -> Flow:
    desk = Desk("audio_to_audio")
    song, source = desk.song(STYLE, LYRICS, language="en"), desk.recording()
    task = desk.task("AudioToAudio", song, source)
    return desk.listen(desk.sampler(task, desk.schedule()), song)


def repaint_section() -> Flow:
    desk = Desk("repaint_section")
    song, source = desk.song(STYLE, LYRICS, language="en"), desk.recording()
    task = desk.task("Repaint", song, source, start=1.0, end=3.0)
    return desk.listen(desk.sampler(task, desk.schedule()), song)


def extend_song() -> Flow:
    desk = Desk("extend_song")
    song, source = desk.song(STYLE, LYRICS, language="en"), desk.recording()
    task = desk.task("Repaint", song, source, start=-3.0, end=0.5, mode="conservative")
    return desk.listen(desk.sampler(task, desk.schedule()), song)


def add_instrument() -> Flow:
    desk = Desk("add_instrument", base=True)
    song, source = desk.song("funky drum kit, tight snare"), desk.recording()
    where = desk.flow.group("Region").add(
        "AceStep15RegionMask",
        source=source,
        by="bars",
        **{"by.first_bar": 1, "by.bars": 2, "by.bpm": 120},
    )
    task = desk.task("Lego", song, source, track="drums", mask=where.out("mask"))
    times = desk.schedule()
    desk.flow.group("Preview").add("PreviewImage", images=where.out("image"))
    sampler = desk.sampler(task, times)
    listen_group = desk.flow.group("Output")
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
    desk = Desk("stems", base=True)
    song, source = desk.song("pop song with a singer, drums and bass"), desk.recording()
    task = desk.task("Extract", song, source, track="vocals")
    sampler = desk.sampler(task, desk.schedule())
    sound = desk.flow.group("Decode").add(
        "AceStep15DecodeAudio", latent=sampler.out("latent"), vae=desk.vae.out("vae")
    )
    taken = sound.out("audio")
    desk.flow.group("Voice").add("AceStep15SaveAudio", audio=taken, filename_prefix="audio/vocals")
    rest = desk.flow.group("Backing")
    left = rest.add("AudioMerge", audio1=source, audio2=taken, merge_method="subtract").out("AUDIO")
    rest.add("AceStep15SaveAudio", audio=left, filename_prefix="audio/backing")
    image = rest.add("AceStep15Picture", audio=left).out("image")
    desk.flow.group("Picture").add("PreviewImage", images=image)
    return desk.flow


def stem_board() -> Flow:
    desk = Desk("stem_board", base=True)
    song, source = desk.song("pop song with a singer, drums and bass"), desk.recording()
    made = _made(desk, song, source)
    board = desk.flow.group("Levels")
    louder = board.add("AceStep15StemLevel", stems=made, name="vocals", gain=2.0)
    aside = board.add("AceStep15StemLevel", stems=louder.out("stems"), name="bass", pan=-0.2)
    quiet = board.add("AceStep15StemLevel", stems=aside.out("stems"), name="drums", mute=True)
    mixed = desk.flow.group("Mix").add("AceStep15Mixdown", stems=quiet.out("stems"))
    whole = desk.flow.group("Null test").add("AceStep15Mixdown", stems=made, source=source)
    heard = desk.flow.group("Output")
    heard.add("AceStep15SaveAudio", audio=mixed.out("audio"), filename_prefix="audio/mix")
    heard.add("AceStep15SaveStems", stems=made)
    read = desk.flow.group("Report")
    for report in (mixed.out("report"), whole.out("report")):
        read.add("PreviewAny", source=report)
    return desk.flow


def build_up() -> Flow:
    desk = Desk("build_up", base=True)
    song, source = desk.song("soul song around a singer, tight drums"), desk.recording()
    only = {"vocals": False, "bass": True, "drums": True}
    made = _made(desk, song, source, mode="build up", **only)
    other = desk.recording(OTHER_AUDIO, "One more track")
    board = desk.flow.group("Levels")
    more = board.add("AceStep15AddStem", audio=other, name="shaker", stems=made).out("stems")
    mixed = board.add("AceStep15Mixdown", stems=more)
    drums = board.add("AceStep15TakeStem", stems=more, name="drums").out("audio")
    heard = desk.flow.group("Output")
    heard.add("AceStep15SaveAudio", audio=mixed.out("audio"), filename_prefix="audio/mix")
    heard.add("AceStep15SaveAudio", audio=drums, filename_prefix="audio/drums")
    desk.flow.group("Report").add("PreviewAny", source=mixed.out("report"))
    return desk.flow


def _made(desk: Desk, song: Node, source: Out, **given: Any) -> Out:
    """The stems of a recording."""
    times = desk.schedule().out("sigmas")
    node = desk.flow.group("Make").add(
        "AceStep15MakeStems",
        model=desk.model.out("model"),
        text_encoder=desk.text.out("text_encoder"),
        vae=desk.vae.out("vae"),
        song=song.out("song"),
        source=source,
        sigmas=times,
        **given,
    )
    return node.out("stems")


def complete_arrangement() -> Flow:
    desk = Desk("complete_arrangement", base=True)
    song = desk.song("folk rock band around a singer, driving drums, electric bass")
    source = desk.recording()
    task = desk.task("Complete", song, source, drums=True, bass=True, guitar=True)
    return desk.listen(desk.sampler(task, desk.schedule()), song)


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
)
