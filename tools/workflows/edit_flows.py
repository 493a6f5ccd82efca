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
    add_sampler,
    load_recording,
)
from tools.workflows.graph import Flow, Node, Out

BAND_STYLE = "upbeat groove with drums, bass, electric piano and a kalimba"


def cover() -> Flow:
    builder = FlowBuilder("cover")
    source, song = builder.recording(), builder.song(STYLE, LYRICS, language="en")
    task = builder.task("Cover", song, source)
    return builder.finish(builder.sampler(task, builder.schedule()), song)


def style_transfer() -> Flow:
    builder = FlowBuilder("style_transfer", music=3)
    source, other = builder.recording(), builder.recording(TUNE, "Sound of")
    song = builder.group("Song", 2).add(
        "AceStep15Song", caption=STYLE, lyrics=LYRICS, language="en"
    )
    task = builder.task("Cover", song, source, cover_strength=0.8, source_strength=0.1)
    heard = builder.making.fold(
        "AceStep15ReferenceAudio",
        positive=task.out("positive"),
        audio=other,
        vae=builder.vae.out("vae"),
    )
    times = builder.schedule()
    return builder.finish(builder.sampler(task, times, positive=heard.out("positive")), song)


def audio_to_audio() -> Flow:
    builder = FlowBuilder("audio_to_audio")
    source, song = builder.recording(), builder.song(STYLE, LYRICS, language="en")
    task = builder.task("AudioToAudio", song, source)
    return builder.finish(builder.sampler(task, builder.schedule()), song)


def new_words() -> Flow:
    builder = FlowBuilder("new_words", music=3)
    return _morph(builder, STYLE, NEW_LYRICS, n_min=0.2)


def new_style() -> Flow:
    builder = FlowBuilder("new_style", music=3)
    return _morph(builder, NEW_STYLE, LYRICS)


def _morph(builder: FlowBuilder, caption: str, lyrics: str, **inputs: Any) -> Flow:
    """A recording whose song gets another caption or other lyrics."""
    source, now = builder.recording(), builder.song(STYLE, LYRICS, language="en")
    wanted = builder.group("New words", 2).add(
        "AceStep15Song", caption=caption, lyrics=lyrics, language="en"
    )
    task = builder.task("Morph", wanted, source, source_song=now.out("song"), **inputs)
    return builder.finish(builder.sampler(task, builder.schedule()), wanted)


def repaint_section() -> Flow:
    builder = FlowBuilder("repaint_section")
    source, song = builder.recording(), builder.song(STYLE, LYRICS, language="en")
    task = builder.task("Repaint", song, source, start=1.0, end=3.0)
    return _finished(builder, task, song)


def extend_song() -> Flow:
    builder = FlowBuilder("extend_song")
    source, song = builder.recording(), builder.song(STYLE, LYRICS, language="en")
    task = builder.task("Repaint", song, source, start=-3.0, end=0.5, mode="conservative")
    return _finished(builder, task, song)


def _finished(builder: FlowBuilder, task: Node, song: Node) -> Flow:
    """Of a task so tall that its sampler is folded beside it."""
    times = builder.schedule()
    group = builder.group("Result", builder.music + 1)
    sampler = add_sampler(group, builder.model, task, times)
    sampler.folded = True
    return builder.finish(sampler, song)


def add_instrument() -> Flow:
    builder = FlowBuilder("add_instrument", base=True)
    source, song = builder.recording(CHORDS), builder.song("funky drum kit, tight snare")
    where = builder.group("Region", 2).add(
        "AceStep15RegionMask",
        source=source,
        by="bars",
        **{"by.first_bar": 1, "by.bars": 2, "by.bpm": BPM},
    )
    task = builder.task("Lego", song, source, track="drums", mask=where.out("mask"))
    made = builder.group("Track", 3)
    sampler = add_sampler(made, builder.model, task, builder.schedule())
    sampler.folded = True
    links = {"latent": sampler.out("latent"), "vae": builder.vae.out("vae")}
    track = made.fold("AceStep15DecodeAudio", **links).out("audio")
    made.add("AceStep15SaveAudio", audio=track, filename_prefix="audio/track")
    mix = builder.group("Result", 4)
    mixed = mix.fold("AudioMerge", audio1=source, audio2=track, merge_method="add").out("AUDIO")
    mix.add("AceStep15SaveAudio", audio=mixed, filename_prefix="audio/mix")
    return builder.flow


def stems() -> Flow:
    builder = FlowBuilder("stems", base=True)
    source, song = builder.recording(), builder.song(BAND_STYLE)
    task = builder.task("Extract", song, source, track="drums")
    sampler = builder.sampler(task, builder.schedule())
    taken = builder.heard(sampler)
    builder.group("Result", 3).add("AceStep15SaveAudio", audio=taken, filename_prefix="audio/track")
    rest = builder.group("Rest", 4)
    merged = rest.fold("AudioMerge", audio1=source, audio2=taken, merge_method="subtract")
    left = merged.out("AUDIO")
    rest.add("AceStep15SaveAudio", audio=left, filename_prefix="audio/rest")
    image = rest.fold("AceStep15Picture", audio=left).out("image")
    rest.add("PreviewImage", images=image)
    return builder.flow


def stem_board() -> Flow:
    builder = FlowBuilder("stem_board", base=True)
    source, song = builder.recording(), builder.song(BAND_STYLE)
    stem_list = _make_stems(builder, song, source, vocals=False, keyboard=True)
    board = builder.group("Levels", 3)
    board.fold("AceStep15SaveStems", stems=stem_list)
    louder = board.add("AceStep15StemLevel", stems=stem_list, name="keyboard", gain=2.0)
    aside = board.add("AceStep15StemLevel", stems=louder.out("stems"), name="bass", pan=-0.2)
    quiet = board.add("AceStep15StemLevel", stems=aside.out("stems"), name="drums", mute=True)
    mixed = board.fold("AceStep15Mixdown", stems=quiet.out("stems"))
    whole = board.fold("AceStep15Mixdown", stems=stem_list, source=source)
    heard = builder.group("Result", 4)
    mix = {"filename_prefix": "audio/mix", "normalization": "peak"}
    heard.add("AceStep15SaveAudio", audio=mixed.out("audio"), **mix)
    for report in (mixed.out("report"), whole.out("report")):
        heard.add("PreviewAny", source=report)
    return builder.flow


def build_up() -> Flow:
    builder = FlowBuilder("build_up", base=True)
    source = builder.recording(TUNE)
    song = builder.song("mellow band around a kalimba, tight drums")
    only = {"vocals": False, "bass": True, "drums": True}
    stem_list = _make_stems(builder, song, source, mode="build up", **only)
    board = builder.group("One more track", 3)
    other = load_recording(board, CHORDS)
    links = {"audio": other, "stems": stem_list}
    more = board.fold("AceStep15AddStem", name="keyboard", **links).out("stems")
    mixed = board.fold("AceStep15Mixdown", stems=more)
    drums = board.fold("AceStep15TakeStem", stems=more, name="drums").out("audio")
    board.add("AceStep15SaveAudio", audio=drums, filename_prefix="audio/drums")
    heard = builder.group("Result", 4)
    heard.add("AceStep15SaveAudio", audio=mixed.out("audio"), filename_prefix="audio/mix")
    heard.add("PreviewAny", source=mixed.out("report"))
    return builder.flow


def _make_stems(builder: FlowBuilder, song: Node, source: Out, **inputs: Any) -> Out:
    """The stems of a recording."""
    sigmas = builder.schedule().out("sigmas")
    node = builder.making.add(
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
    source = builder.recording(TUNE)
    song = builder.song("calm groove with drums, bass, electric piano and a kalimba")
    task = builder.task("Complete", song, source, drums=True, bass=True, keyboard=True)
    return _finished(builder, task, song)


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
