"""The workflows of the pack, each described once; `make_workflows` writes them."""

from collections.abc import Callable

from tools.workflows.alignment_flows import FLOWS as TAKE_FLOWS
from tools.workflows.edit_flows import FLOWS as EDIT_FLOWS
from tools.workflows.flow_parts import add_sampler, decode_and_save, load_models, text_to_music_task
from tools.workflows.graph import Flow
from tools.workflows.lm_flows import (
    codes_as_material,
    full_song_with_lyrics,
    polish_prompt,
    song_from_idea,
    understand_audio,
)
from tools.workflows.measure_flows import FLOWS as MEASURE_FLOWS
from tools.workflows.native_flows import native_loaders
from tools.workflows.sampling_flows import FLOWS as SAMPLING_FLOWS
from tools.workflows.song_subgraph import start_here
from tools.workflows.video_flows import FLOWS as PICTURE_FLOWS

CAPTION = "warm indie folk, fingerpicked guitar, soft female voice, brushed drums, hopeful"
LYRICS = """[Verse]
Morning finds the kitchen floor
Light is leaning on the door

[Chorus]
Stay a little, let it be
All the world is you and me"""

TEXT_TO_MUSIC_NOTE = """## Text to music

1. **Models**: missing files are offered for download; put them where the button says.
2. **Song**: describe it and write its lyrics. What is on *auto*, the model chooses.
3. Press **Run**. The song appears on *Save Audio* and in **output/audio**.

Steps, shift and guidance follow the model: turbo takes 8 steps and no guidance. Choose *custom* \
on the schedule to set your own. The same seed gives the same song.

For several songs at once raise **batch_size**; each gets a seed of its own.
"""


def text_to_music() -> Flow:
    flow = Flow("text_to_music", "Text to music", TEXT_TO_MUSIC_NOTE)
    nodes = load_models(flow)
    song = flow.group("Song", 1).add(
        "AceStep15Song", caption=CAPTION, lyrics=LYRICS, seconds=60.0, language="en"
    )
    music = flow.group("Music", 2)
    times = music.fold("AceStep15Schedule", model=nodes[0].out("model"))
    task = text_to_music_task(music, nodes, song.out("song"))
    sampler = add_sampler(music, nodes[0], task, times)
    decode_and_save(flow, sampler, nodes[2], song)
    return flow


FLOWS: tuple[Callable[[], Flow], ...] = (
    start_here,
    text_to_music,
    song_from_idea,
    full_song_with_lyrics,
    understand_audio,
    polish_prompt,
    codes_as_material,
    *EDIT_FLOWS,
    *SAMPLING_FLOWS,
    *TAKE_FLOWS,
    *PICTURE_FLOWS,
    *MEASURE_FLOWS,
    native_loaders,
)
