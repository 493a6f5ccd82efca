"""Workflows in which music moves pictures."""

from tools.workflows.flow_parts import add_sampler, load_models, text_to_music_task
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
    levels = flow.group("Envelope").add(
        "AceStep15Envelope", audio=audio, fps=12.0, band="bass", release=0.2, floor=0.1
    )
    pictures = flow.group("Picture")
    song_picture = pictures.add("AceStep15Picture", audio=audio)
    dark = pictures.add(
        "EmptyImage", width=384, height=192, batch_size=levels.out("frames"), color=DARK
    )
    shown = flow.group("Video")
    frames = shown.add(
        "ImageCompositeMasked",
        source=song_picture.out("image"),
        resize_source=True,
        destination=dark.out("IMAGE"),
        mask=levels.out("mask"),
    )
    video = shown.add("CreateVideo", images=frames.out("IMAGE"), fps=levels.out("fps"), audio=audio)
    shown.add("SaveVideo", video=video.out("VIDEO"), filename_prefix="video/ACE-Step")
    return flow


def _song(flow: Flow) -> Out:
    """A short song, made and saved: its sound."""
    nodes = load_models(flow)
    song = flow.group("Song").add("AceStep15Song", caption=CAPTION, instrumental=True, seconds=20.0)
    music = flow.group("Music")
    times = music.add("AceStep15Schedule", model=nodes[0].out("model"))
    task = text_to_music_task(music, nodes, song.out("song"))
    sampler = add_sampler(music, nodes[0], task, times)
    decode = flow.group("Decode").add(
        "AceStep15DecodeAudio", latent=sampler.out("latent"), vae=nodes[2].out("vae")
    )
    audio = decode.out("audio")
    flow.group("Output").add("AceStep15SaveAudio", audio=audio, song=song.out("song"))
    return audio


FLOWS = (picture_moves,)
