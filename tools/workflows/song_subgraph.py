"""The one easy way in: a song behind one node with six widgets, and the first workflow to open."""

from collections.abc import Callable
from typing import Any

from tools.workflows.flow_parts import add_sampler, decode, load_models, text_to_music_task
from tools.workflows.graph import Flow, PromotedWidget, Subgraph

NAME = "Song (ACE-Step 1.5 Text to Music)"
FIRST = 101  # so that no node within has the number of one around it
CAPTION = "upbeat pop, bright piano, handclaps, warm female voice, summer evening"
LYRICS = """[Verse]
Lights along the river glow
Every song I used to know

[Chorus]
Sing it out, the night is ours
Count the windows, name the stars"""
DESCRIPTION = "Makes a song from a description and lyrics with ACE-Step 1.5. Open it to see how."
ALIASES = ["music", "song", "suno", "udio", "text to music", "lyrics", "singing", "ace step"]

NOTE = """## First song

1. **Models**: if files are missing, ComfyUI offers them for download (about 6 GB). They are \
needed once.
2. Press **Run**. The song plays on *Save Audio* and is kept in **output/audio**.
3. Change the **caption** (style, mood, instruments, voice) and the **lyrics**, and run again.

**seconds** is the song's length. With **instrumental** nobody sings.

### What next

- Open the Song node (*Enter Subgraph*): inside are the nodes of **Text to music**.
- **Full song with lyrics** plans and composes first: better long songs, one more model.
- **Cover**, **Fix a section**, **Stems** start from a recording.

All of them are in **Templates**, under this pack's name.
"""


def song() -> Subgraph:
    """Text to music; the widgets that one changes first are promoted to the node."""
    flow = Flow("song", NAME, DESCRIPTION, first=FIRST)
    nodes = load_models(flow)
    described = flow.group("Song", 1).add(
        "AceStep15Song", caption=CAPTION, lyrics=LYRICS, seconds=60.0, language="en"
    )
    music = flow.group("Music", 2)
    times = music.fold("AceStep15Schedule", model=nodes[0].out("model"))
    task = text_to_music_task(music, nodes, described.out("song"))
    sampler = add_sampler(music, nodes[0], task, times)
    sound = decode(flow, sampler.out("latent"), nodes[2])
    names = ("caption", "lyrics", "instrumental", "seconds", "language")
    promoted = [PromotedWidget(name, described, name) for name in names]
    return Subgraph(
        NAME,
        flow,
        (*promoted, PromotedWidget("seed", sampler, "seed")),
        {"audio": sound, "song": described.out("song")},
    )


def start_here() -> Flow:
    flow = Flow("start_here", "First song", NOTE)
    made = flow.group("Song", 1).add_subgraph(song())
    output = flow.group("Result", 2)
    output.add("AceStep15SaveAudio", audio=made.out("audio"), song=made.out("song"))
    return flow


BLUEPRINTS: tuple[tuple[Callable[[], Subgraph], dict[str, Any]], ...] = (
    (song, {"BlueprintDescription": DESCRIPTION, "BlueprintSearchAliases": ALIASES}),
)
