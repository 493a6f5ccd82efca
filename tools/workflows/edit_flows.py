"""Workflows that start from a recording."""

from typing import Any

from tools.workflows.flow_parts import (
    BPM,
    CHORDS,
    LYRICS,
    NEW_LYRICS,
    NEW_STYLE,
    STYLE,
    TUNE,
    FlowBuilder,
)
from tools.workflows.graph import Flow, Node, Out

BAND_STYLE = "upbeat groove with drums, bass, electric piano and a kalimba"


def cover() -> Flow:
    builder = FlowBuilder("cover")
    song, source = builder.song(STYLE, LYRICS, language="en"), builder.recording()
    task = builder.task("Cover", song, source)
    return builder.finish(builder.sampler(task, builder.schedule()), song)


def style_transfer() -> Flow:
    builder = FlowBuilder("style_transfer")
    song, source = builder.song(STYLE, LYRICS, language="en"), builder.recording()
    other = builder.recording(TUNE, "Sound of")
    task = builder.task("Cover", song, source, cover_strength=0.8, source_strength=0.1)
    heard = builder.group("Decode").add(
        "AceStep15ReferenceAudio",
        positive=task.out("positive"),
        audio=other,
        vae=builder.vae.out("vae"),
    )
    times = builder.schedule()
    return builder.finish(builder.sampler(task, times, positive=heard.out("positive")), song)


def audio_to_audio() -> Flow:
    builder = FlowBuilder("audio_to_audio")
    song, source = builder.song(STYLE, LYRICS, language="en"), builder.recording()
    task = builder.task("AudioToAudio", song, source)
    return builder.finish(builder.sampler(task, builder.schedule()), song)


def new_words() -> Flow:
    builder = FlowBuilder("new_words")
    return _morph(builder, builder.song(STYLE, LYRICS, language="en"), STYLE, NEW_LYRICS, n_min=0.2)


def new_style() -> Flow:
    builder = FlowBuilder("new_style")
    return _morph(builder, builder.song(STYLE, LYRICS, language="en"), NEW_STYLE, LYRICS)


def _morph(builder: FlowBuilder, now: Node, caption: str, lyrics: str, **inputs: Any) -> Flow:
    """A recording whose song `now` gets another caption or other lyrics."""
    source = builder.recording()
    wanted = builder.group("New words").add(
        "AceStep15Song", caption=caption, lyrics=lyrics, language="en"
    )
    task = builder.task("Morph", wanted, source, source_song=now.out("song"), **inputs)
    return builder.finish(builder.sampler(task, builder.schedule()), wanted)


def repaint_section() -> Flow:
    builder = FlowBuilder("repaint_section")
    song, source = builder.song(STYLE, LYRICS, language="en"), builder.recording()
    task = builder.task("Repaint", song, source, start=1.0, end=3.0)
    return builder.finish(builder.sampler(task, builder.schedule()), song)


def extend_song() -> Flow:
    builder = FlowBuilder("extend_song")
    song, source = builder.song(STYLE, LYRICS, language="en"), builder.recording()
    task = builder.task("Repaint", song, source, start=-3.0, end=0.5, mode="conservative")
    return builder.finish(builder.sampler(task, builder.schedule()), song)


def add_instrument() -> Flow:
    builder = FlowBuilder("add_instrument", base=True)
    song, source = builder.song("funky drum kit, tight snare"), builder.recording(CHORDS)
    where = builder.group("Region").add(
        "AceStep15RegionMask",
        source=source,
        by="bars",
        **{"by.first_bar": 1, "by.bars": 2, "by.bpm": BPM},
    )
    task = builder.task("Lego", song, source, track="drums", mask=where.out("mask"))
    times = builder.schedule()
    builder.group("Preview").add("PreviewImage", images=where.out("image"))
    sampler = builder.sampler(task, times)
    listen_group = builder.group("Output")
    track = listen_group.add(
        "AceStep15DecodeAudio", latent=sampler.out("latent"), vae=builder.vae.out("vae")
    )
    mixed = listen_group.add(
        "AudioMerge", audio1=source, audio2=track.out("audio"), merge_method="add"
    )
    for audio, prefix in ((track.out("audio"), "track"), (mixed.out("AUDIO"), "mix")):
        listen_group.add("AceStep15SaveAudio", audio=audio, filename_prefix=f"audio/{prefix}")
    return builder.flow


def stems() -> Flow:
    builder = FlowBuilder("stems", base=True)
    song, source = builder.song(BAND_STYLE), builder.recording()
    task = builder.task("Extract", song, source, track="drums")
    sampler = builder.sampler(task, builder.schedule())
    sound = builder.group("Decode").add(
        "AceStep15DecodeAudio", latent=sampler.out("latent"), vae=builder.vae.out("vae")
    )
    taken = sound.out("audio")
    builder.group("Track").add("AceStep15SaveAudio", audio=taken, filename_prefix="audio/track")
    rest = builder.group("Rest")
    left = rest.add("AudioMerge", audio1=source, audio2=taken, merge_method="subtract").out("AUDIO")
    rest.add("AceStep15SaveAudio", audio=left, filename_prefix="audio/rest")
    image = rest.add("AceStep15Picture", audio=left).out("image")
    builder.group("Picture").add("PreviewImage", images=image)
    return builder.flow


def stem_board() -> Flow:
    builder = FlowBuilder("stem_board", base=True)
    song, source = builder.song(BAND_STYLE), builder.recording()
    stem_list = _make_stems(builder, song, source, vocals=False, keyboard=True)
    board = builder.group("Levels")
    louder = board.add("AceStep15StemLevel", stems=stem_list, name="keyboard", gain=2.0)
    aside = board.add("AceStep15StemLevel", stems=louder.out("stems"), name="bass", pan=-0.2)
    quiet = board.add("AceStep15StemLevel", stems=aside.out("stems"), name="drums", mute=True)
    mixed = builder.group("Mix").add("AceStep15Mixdown", stems=quiet.out("stems"))
    whole = builder.group("Null test").add("AceStep15Mixdown", stems=stem_list, source=source)
    heard = builder.group("Output")
    mix = {"filename_prefix": "audio/mix", "normalization": "peak"}
    heard.add("AceStep15SaveAudio", audio=mixed.out("audio"), **mix)
    heard.add("AceStep15SaveStems", stems=stem_list)
    read = builder.group("Report")
    for report in (mixed.out("report"), whole.out("report")):
        read.add("PreviewAny", source=report)
    return builder.flow


def build_up() -> Flow:
    builder = FlowBuilder("build_up", base=True)
    song = builder.song("mellow band around a kalimba, tight drums")
    source = builder.recording(TUNE)
    only = {"vocals": False, "bass": True, "drums": True}
    stem_list = _make_stems(builder, song, source, mode="build up", **only)
    other = builder.recording(CHORDS, "One more track")
    board = builder.group("Levels")
    more = board.add("AceStep15AddStem", audio=other, name="keyboard", stems=stem_list).out("stems")
    mixed = board.add("AceStep15Mixdown", stems=more)
    drums = board.add("AceStep15TakeStem", stems=more, name="drums").out("audio")
    heard = builder.group("Output")
    heard.add("AceStep15SaveAudio", audio=mixed.out("audio"), filename_prefix="audio/mix")
    heard.add("AceStep15SaveAudio", audio=drums, filename_prefix="audio/drums")
    builder.group("Report").add("PreviewAny", source=mixed.out("report"))
    return builder.flow


def _make_stems(builder: FlowBuilder, song: Node, source: Out, **inputs: Any) -> Out:
    """The stems of a recording."""
    sigmas = builder.schedule().out("sigmas")
    node = builder.group("Make").add(
        "AceStep15MakeStems",
        model=builder.model.out("model"),
        text_encoder=builder.text.out("text_encoder"),
        vae=builder.vae.out("vae"),
        song=song.out("song"),
        source=source,
        sigmas=sigmas,
        **inputs,
    )
    return node.out("stems")


def complete_arrangement() -> Flow:
    builder = FlowBuilder("complete_arrangement", base=True)
    song = builder.song("calm groove with drums, bass, electric piano and a kalimba")
    source = builder.recording(TUNE)
    task = builder.task("Complete", song, source, drums=True, bass=True, keyboard=True)
    return builder.finish(builder.sampler(task, builder.schedule()), song)


FLOWS = (
    cover,
    style_transfer,
    audio_to_audio,
    new_words,
    new_style,
    repaint_section,
    extend_song,
    add_instrument,
    stems,
    stem_board,
    build_up,
    complete_arrangement,
)
