"""Workflows that look at finished takes: their words in time, and which one is the best."""

from typing import Any

from tools.workflows.flow_parts import (
    add_sampler,
    decode,
    load_lm,
    load_models,
    text_to_music_task,
)
from tools.workflows.graph import Flow, Node

CAPTION = "bright acoustic pop, ukulele, hand claps, close female voice, summer morning"
LYRICS = """[Verse]
Paper boats along the stream
Carry off a borrowed dream

[Chorus]
Sing it slow and sing it clear
All the words are waiting here"""

KARAOKE_NOTE = """## Karaoke

The song is made, and then *Lyric Timestamps* finds in the diffusion model's cross-attention when \
each word is sung. No speech recognition, any language.

*Save Audio* writes an .lrc file of the same name beside the song, as players look for it; *Save \
Lyrics* one with a timestamp for every word. Set **format** to srt for a video.

The song, the positive conditioning and the model must be those that the music was made with.
"""
BEST_NOTE = """## Best of four

Four takes of one song are sampled, scored and ranked; only the best is decoded and saved.

*Score* asks two questions: does the singing follow the lyrics (the diffusion model's attention), \
and does the music fit caption, lyrics and metadata (the language model, which generates nothing)? \
Disconnect **lm** to score the singing alone, which is faster.

Raise **keep** to save more than one. The seed of each take is in the ranking.
"""

BEAT_CAPTION = "driving techno, four on the floor, analog bass, minor chords, no vocals"
BEAT_NOTE = """## Fits the beat

Four takes of one song are sampled, decoded and measured: the one whose **tempo** and **key** \
come nearest to what the song asks for is saved. *Ranking* says why, take by take. All four are \
saved in **audio/takes**, the best first, and can be played there.

Change **prefer** to rank by something else, with a weight or without: *tempo:2, key, meter, \
length, clipping, ending*; *lyrics* and *quality* too, if a *Score* is connected. What the song \
leaves on *auto* cannot be compared and is refused.

A measured tempo may be half or twice the one that is tapped; **tempo_or_octave** counts these, too.
"""
UNTIL_NOTE = """## Until it fits

*Try Until It Fits* samples take after take, each with a seed of its own, and measures it: it \
ends with the first that keeps **tempo** and **key**, or after **tries** takes. All of them are \
saved in **audio/takes**, the best first; the report has their seeds, each of which gives the same \
take on *Sampler*.

Change **until** for other conditions, such as *meter*, *length* or *ending*.
"""


def karaoke() -> Flow:
    flow = Flow("karaoke", "Karaoke", KARAOKE_NOTE)
    nodes = load_models(flow)
    song, finished = _sung(flow, nodes)
    looked = flow.group("Result", 3)
    times = looked.fold("AceStep15LyricTimes", **finished)
    text = looked.fold("AceStep15LyricsText", timestamps=times.out("timestamps"))
    audio = decode(flow, finished["latent"], nodes[2])
    heard = flow.group("Result", 3)
    own = {"song": song.out("song"), "timestamps": times.out("timestamps"), "audio": audio}
    heard.add("AceStep15SaveAudio", **own)
    heard.fold("AceStep15SaveLyrics", timestamps=times.out("timestamps"), format="karaoke")
    heard.add("PreviewAny", source=text.out("text"))
    return flow


def best_of_four() -> Flow:
    flow = Flow("best_of_four", "Best of four", BEST_NOTE)
    nodes = load_models(flow)
    lm = load_lm(flow)
    song, finished = _sung(flow, nodes, batch_size=4)
    judge = flow.group("Choice", 3)
    score = judge.add("AceStep15Score", **finished, lm=lm.out("lm"))
    best = judge.add("AceStep15KeepBest", scores=score.out("scores"), latent=finished["latent"])
    audio = decode(flow, best.out("latent"), nodes[2], 4)
    heard = flow.group("Result")
    heard.add("AceStep15SaveAudio", audio=audio, song=song.out("song"))
    heard.add("PreviewAny", source=best.out("ranking"))
    return flow


def fits_the_beat() -> Flow:
    flow = Flow("fits_the_beat", "Fits the beat", BEAT_NOTE)
    nodes = load_models(flow)
    song = _danced(flow)
    made = flow.group("Music", 2)
    task = text_to_music_task(made, nodes, song.out("song"), batch_size=4)
    times = made.fold("AceStep15Schedule", model=nodes[0].out("model"))
    sampler = add_sampler(made, nodes[0], task, times)
    choice = flow.group("Choice", 3)
    decoded = choice.fold(
        "AceStep15DecodeAudio", latent=sampler.out("latent"), vae=nodes[2].out("vae")
    )
    best = choice.add(
        "AceStep15KeepBest",
        latent=sampler.out("latent"),
        audio=decoded.out("audio"),
        song=song.out("song"),
        prefer="tempo, key",
    )
    _heard(flow, song, best, best.out("ranking"), (4, 3))
    return flow


def until_it_fits() -> Flow:
    flow = Flow("until_it_fits", "Until it fits", UNTIL_NOTE)
    nodes = load_models(flow)
    song = _danced(flow)
    made = flow.group("Music", 2)
    task = text_to_music_task(made, nodes, song.out("song"))
    times = made.fold("AceStep15Schedule", model=nodes[0].out("model"))
    links = {name: task.out(name) for name in ("positive", "negative", "latent")}
    tried = made.add(
        "AceStep15TryUntilFit",
        model=nodes[0].out("model"),
        sigmas=times.out("sigmas"),
        vae=nodes[2].out("vae"),
        song=song.out("song"),
        until="tempo, key",
        tries=4,
        **links,
    )
    _heard(flow, song, tried, tried.out("report"), (3, 4))
    return flow


def _danced(flow: Flow) -> Node:
    return flow.group("Song", 1).add(
        "AceStep15Song",
        caption=BEAT_CAPTION,
        seconds=45.0,
        bpm=124,
        key="F minor",
        time_signature="4/4",
        instrumental=True,
    )


def _heard(flow: Flow, song: Node, chosen: Node, why: Any, columns: tuple[int, int]) -> None:
    """The best is saved, all are saved beside it, and why is shown. `columns`: of these two."""
    result = flow.group("Result", columns[0])
    result.add("AceStep15SaveAudio", audio=chosen.out("audio"), song=song.out("song"))
    result.add("PreviewAny", source=why)
    takes = flow.group("All takes", columns[1])
    takes.add("AceStep15SaveAudio", audio=chosen.out("ranked"), filename_prefix="audio/takes")


def _sung(flow: Flow, nodes: tuple[Node, Node, Node], **task: Any) -> tuple[Node, dict[str, Any]]:
    """A song with its music, and what a node needs that looks at it again."""
    model, text, _ = nodes
    song = flow.group("Song", 1).add(
        "AceStep15Song", caption=CAPTION, lyrics=LYRICS, seconds=45.0, language="en"
    )
    made = flow.group("Music", 2)
    asked = text_to_music_task(made, nodes, song.out("song"), **task)
    times = made.fold("AceStep15Schedule", model=model.out("model"))
    sampler = add_sampler(made, model, asked, times)
    finished = {
        "model": model.out("model"),
        "text_encoder": text.out("text_encoder"),
        "song": song.out("song"),
        "positive": asked.out("positive"),
        "latent": sampler.out("latent"),
    }
    return song, finished


FLOWS = (karaoke, best_of_four, fits_the_beat, until_it_fits)
