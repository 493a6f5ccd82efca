"""Workflows in which music moves pictures."""

from tools.workflows.flow_parts import add_sampler, decode, load_models, text_to_music_task
from tools.workflows.graph import Flow, Out

CAPTION = "driving synthwave, punchy drums, pulsing bass, bright arpeggios"
DARK = 0x10121C  # the colour of the video where the music is silent
NOTE = """## Music moves a picture

A song is made, and the picture of it lights up with its music, in a video with the song as its \
sound. The video is in **output/video**.

1. **Song**: describe it. Any other sound does as well: connect *Load Audio* to *Audio Envelope*, \
*Picture of Audio* and *Create Video*.
2. **Envelope**: choose what the picture follows. *bass* beats with the drums; a longer \
**release** glows on; a higher **floor** makes quiet moments dark.
3. **Picture**: *Load Image* in the place of *Picture of Audio* lights up a picture of your own; \
frames of a video in the place of *Empty Image* shine through in the quiet.

The video is as large as *Empty Image*. All of its frames are held in memory several times: about \
1.5 GB for 20 seconds of 384 x 192 at 12 frames per second. Twice the frames take twice as much.
"""


def picture_moves() -> Flow:
    flow = Flow("picture_moves", "Music moves a picture", NOTE)
    audio = _song(flow)
    levels = flow.group("Envelope", 3).add(
        "AceStep15Envelope", audio=audio, fps=12.0, band="bass", release=0.2, floor=0.1
    )
    pictures = flow.group("Picture", 3)
    song_picture = pictures.fold("AceStep15Picture", audio=audio)
    dark = pictures.add(
        "EmptyImage", width=384, height=192, batch_size=levels.out("frames"), color=DARK
    )
    shown = flow.group("Video", 4)
    frames = shown.fold(
        "ImageCompositeMasked",
        source=song_picture.out("image"),
        resize_source=True,
        destination=dark.out("IMAGE"),
        mask=levels.out("mask"),
    )
    video = shown.fold(
        "CreateVideo", images=frames.out("IMAGE"), fps=levels.out("fps"), audio=audio
    )
    shown.add("SaveVideo", video=video.out("VIDEO"), filename_prefix="video/ACE-Step")
    return flow


def _song(flow: Flow) -> Out:
    """A short song, made and saved: its sound."""
    song = flow.group("Song", 1).add(
        "AceStep15Song", caption=CAPTION, instrumental=True, seconds=20.0
    )
    flow.group("Models", 1)  # the first column is full of the note
    nodes = load_models(flow)
    music = flow.group("Music", 2)
    times = music.fold("AceStep15Schedule", model=nodes[0].out("model"))
    task = text_to_music_task(music, nodes, song.out("song"))
    sampler = add_sampler(music, nodes[0], task, times)
    audio = decode(flow, sampler.out("latent"), nodes[2])
    flow.group("Result").fold("AceStep15SaveAudio", audio=audio, song=song.out("song"))
    return audio


FLOWS = (picture_moves,)
