"""Workflows that ask the language model: to plan, to compose, to understand, to word."""

from typing import Any

from ace_core.weights.published import TURBO, VAE
from tools.workflows.flow_parts import (
    BPM,
    add_sampler,
    decode_and_save,
    load_lm,
    load_models,
    load_recording,
    text_to_music_task,
)
from tools.workflows.graph import Flow, Node
from tools.workflows.notes import CHOOSE

IDEA = "a bittersweet song about the last train home, for a rainy Sunday evening"
IDEA_NOTE = """## Song from an idea

1. **Idea**: say in a sentence what the song is about. The language model writes caption and \
lyrics and chooses tempo, key and length; set **seconds** to choose the length yourself.
2. **Plan**: *Think* fills what is still open, and *Compose Codes* writes the song down, five \
codes a second: melody, rhythm, arrangement.
3. **Music**: the diffusion model plays the codes.

The seed of *Create Sample* draws another song, that of *Compose Codes* another tune to the same \
words, that of the sampler another recording of the same tune: hold on to what you like by setting \
its *control after generate* to *fixed*.
"""

FULL_CAPTION = "80s synth-pop, driving bass line, gated drums, bright analog pads, female voice"
FULL_LYRICS = """[Verse 1]
Neon writing on the rain
Someone whistles for a train
All the windows hum in blue
Every street runs into you

[Pre-Chorus]
Hold the light a little low
There is somewhere we could go

[Chorus]
Turn it up, the night is wide
Every star is on our side
Turn it up and let it run
We are faster than the sun

[Verse 2]
Coffee cups and copper wire
Voices climbing ever higher
Map the moon on paper skin
Count to four and let it in

[Chorus]
Turn it up, the night is wide
Every star is on our side
Turn it up and let it run
We are faster than the sun

[Outro]
Faster than the sun"""
FULL_NOTE = """## Full song with lyrics

1. **Song**: caption, lyrics and length are yours; tempo, key and the rest are on *auto*.
2. **Plan**: *Think* chooses what is on *auto* and rewrites the caption. *Compose Codes* writes \
the melody. *Preview as Text* shows the chosen values.
3. **Music**: the diffusion model plays the codes.

To compare variations of the melody raise **batch_size** on *Compose Codes*.
"""

UNDERSTAND_NOTE = f"""## Understand audio

{CHOOSE}
2. Press **Run**.

The recording becomes audio codes, and the language model describes their music: style, tempo, \
key, language, lyrics. Beside it *Measure* measures tempo, key, meter and length from the sound, \
and says where the two agree.

The song that comes out of *Understand* fits every task: connect it to generate the music anew. \
The codes fit *Text to Music*.
"""

POLISH_NOTE = """## Polish a prompt

A rough caption and rough lyrics come back in the form that the models were trained on: a detailed \
caption, lyrics in sections, and values for what was on *auto*.

Connect the song to *Think* or to a task, or copy what *Preview as Text* shows into your own.
"""

TYPED_CODES = "41, 2600, 17, 3333, 41, 2600, 17, 9000, 12, 480"
MATERIAL_NOTE = f"""## Audio codes as material

{CHOOSE}
2. Set its **bpm** and the bars to take on *Slice Codes*, and press **Run**.

A recording becomes codes, five per second. Two bars are cut out, codes that were typed follow, \
and both are repeated, in the style of the song's caption.

Codes are a melody without its timbre: cut, join and repeat them, keep them as text, or let \
*Compose Codes* write them. The numbers on *Preview as Text* can be pasted into *Text to Codes*.
"""


def song_from_idea() -> Flow:
    flow = Flow("song_from_idea", "Song from an idea", IDEA_NOTE)
    lm = load_lm(flow).out("lm")
    idea = flow.group("Idea", 1)
    sample = idea.add("AceStep15CreateSample", lm=lm, query=IDEA)
    plan = flow.group("Plan", 2)
    # the sample has the model's caption already
    thought = plan.fold("AceStep15Think", lm=lm, song=sample.out("song"), caption=False)
    codes = plan.fold("AceStep15ComposeCodes", lm=lm, song=thought.out("song"))
    plan.add("PreviewAny", source=sample.out("report"))
    _music(flow, load_models(flow), (thought, codes))
    return flow


def full_song_with_lyrics() -> Flow:
    flow = Flow("full_song_with_lyrics", "Full song with lyrics", FULL_NOTE)
    lm = load_lm(flow).out("lm")
    song = flow.group("Song", 1).add(
        "AceStep15Song", caption=FULL_CAPTION, lyrics=FULL_LYRICS, seconds=150.0, language="en"
    )
    plan = flow.group("Plan", 2)
    thought = plan.fold("AceStep15Think", lm=lm, song=song.out("song"))
    codes = plan.fold("AceStep15ComposeCodes", lm=lm, song=thought.out("song"))
    plan.add("PreviewAny", source=thought.out("report"))
    _music(flow, load_models(flow), (thought, codes))
    return flow


def understand_audio() -> Flow:
    flow = Flow("understand_audio", "Understand audio", UNDERSTAND_NOTE)
    lm = load_lm(flow).out("lm")
    group = flow.group("Models")
    model = group.fold("AceStep15LoadModel", (TURBO,), file=TURBO.name)
    vae = group.fold("AceStep15LoadVAE", (VAE,), file=VAE.name)
    audio = load_recording(flow.group("Recording", 1))
    listened = flow.group("Understand", 1)
    codes = listened.fold(
        "AceStep15EncodeCodes",
        model=model.out("model"),
        vae=vae.out("vae"),
        audio=audio,
    )
    heard = listened.add("AceStep15Understand", lm=lm, codes=codes.out("codes"))
    shown = flow.group("Description", 2)
    details = shown.fold("AceStep15SongDetails", song=heard.out("song"))
    for text in (heard.out("report"), details.out("caption"), details.out("lyrics")):
        shown.add("PreviewAny", source=text)
    measured = flow.group("Measure", 3)
    found = measured.add("AceStep15Measure", audio=audio, song=heard.out("song"))
    measured.add("PreviewAny", source=found.out("comparison"))
    return flow


def polish_prompt() -> Flow:
    flow = Flow("polish_prompt", "Polish a prompt", POLISH_NOTE)
    lm = load_lm(flow).out("lm")
    song = flow.group("Draft", 1).add(
        "AceStep15Song",
        caption="sad rock song, guitars",
        lyrics="I walk alone at night\nthe city is asleep",
        seconds=0.0,
    )
    better = flow.group("Polish", 2).add("AceStep15FormatSample", lm=lm, song=song.out("song"))
    shown = flow.group("Polished", 3)
    details = shown.fold("AceStep15SongDetails", song=better.out("song"))
    for text in (details.out("caption"), details.out("lyrics"), better.out("report")):
        shown.add("PreviewAny", source=text)
    return flow


def codes_as_material() -> Flow:
    flow = Flow("codes_as_material", "Audio codes as material", MATERIAL_NOTE)
    nodes = load_models(flow)
    audio = load_recording(flow.group("Recording", 1))
    song = flow.group("Song", 1).add(
        "AceStep15Song", caption="slow jazz trio, brushes, walking bass, late night", seconds=0.0
    )
    cut = flow.group("Cut", 2)
    model, vae = nodes[0].out("model"), nodes[2].out("vae")
    heard = cut.fold("AceStep15EncodeCodes", model=model, vae=vae, audio=audio)
    bars: dict[str, Any] = {"by.first_bar": 1, "by.bars": 2, "by.bpm": BPM}
    piece = cut.add("AceStep15SliceCodes", codes=heard.out("codes"), by="bars", **bars)
    typed = cut.add("AceStep15TextToCodes", text=TYPED_CODES)
    joined = flow.group("Join", 2).add(
        "AceStep15JoinCodes", first=piece.out("codes"), second=typed.out("codes"), repeats=2
    )
    kept = flow.group("Codes", 3)
    written = kept.fold("AceStep15CodesToText", codes=joined.out("codes"), format="numbers")
    kept.add("PreviewAny", source=written.out("text"))
    _music(flow, nodes, (song, joined), 3)
    return flow


def _music(
    flow: Flow, nodes: tuple[Node, Node, Node], sources: tuple[Node, Node], column: int = 2
) -> None:
    """From a song and its codes to what is heard, with the models of `nodes`."""
    (model, _, vae), (song, codes) = nodes, sources
    group = flow.group("Music", column)
    task = text_to_music_task(group, nodes, song.out("song"), codes=codes.out("codes"))
    times = group.fold("AceStep15Schedule", model=model.out("model"))
    sampler = add_sampler(group, model, task, times)
    decode_and_save(flow, sampler, vae, song, column + 1)
