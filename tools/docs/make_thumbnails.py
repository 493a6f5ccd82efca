"""Draw the pictures of ComfyUI's template browser: `python -m tools.docs.make_thumbnails`.

Each says in words and shapes what a workflow makes of what. They are drawn, not rendered from
music, and need no model.
"""

import math
from collections.abc import Callable, Sequence
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from tools.workflows.flows import FLOWS
from tools.workflows.menu import STEMS, WORKFLOWS

SIDE, SHOWN = 768, 512  # pixels: as it is drawn, and of the file
SCENE = (0, 134, SIDE, 420)  # where the functions draw
MARGIN, TITLE, BELOW, LINE = 48, 78, 48, 1.16  # pixels: of the words; LINE in letters' heights
PAPER, INK, SOFT, WARM = (20, 22, 30), (236, 238, 244), (120, 132, 156), (255, 168, 92)
QUALITY = 80
Draw = ImageDraw.ImageDraw
Box = tuple[int, int, int, int]
LEFT, RIGHT = (48, 150, 316, 372), (436, 150, 720, 372)
VERSES = ((0, 0.8), (1, 0.62), (3, 0.7), (4, 0.9), (5, 0.55), (6, 0.74))  # (row, width)
FULL = ((0, 0.5), (1, 0.8), (2, 0.7), (3, 0.86), (4, 0.4), (5, 0.9), (6, 0.77))


def start_here(draw: Draw) -> str:
    draw.rounded_rectangle((48, 150, 316, 372), 14, fill=(32, 36, 48), outline=WARM, width=3)
    words(draw, (56, 170, 308, 300), ((0, 0.8), (1, 0.5), (2, 0.66)))
    draw.rounded_rectangle((122, 312, 242, 352), 10, fill=WARM)
    draw.polygon(((172, 321), (172, 343), (194, 332)), PAPER)
    wave(draw, RIGHT, WARM)
    return "a pop song with a voice, at the first Run"


def text_to_music(draw: Draw) -> str:
    words(draw, LEFT, VERSES)
    wave(draw, RIGHT, WARM)
    return "a folk song from its description and lyrics"


def song_from_idea(draw: Draw) -> str:
    words(draw, (48, 232, 316, 290), ((0, 0.9),))
    wave(draw, RIGHT, WARM)
    return "a sentence becomes caption, lyrics, tune and music"


def full_song_with_lyrics(draw: Draw) -> str:
    words(draw, LEFT, FULL)
    wave(draw, RIGHT, WARM)
    return "your words, planned and composed, then played"


def understand_audio(draw: Draw) -> str:
    wave(draw, (48, 150, 316, 372), WARM)
    words(draw, RIGHT, VERSES)
    return "music becomes tempo, key, caption and lyrics"


def polish_prompt(draw: Draw) -> str:
    words(draw, LEFT, ((2, 0.5), (4, 0.35)))
    words(draw, RIGHT, FULL)
    return "a draft becomes what the models were trained to read"


def codes_as_material(draw: Draw) -> str:
    for column in range(4):
        for row in range(3):
            x, y = 48 + column * 68, 176 + row * 62
            draw.rounded_rectangle((x, y, x + 56, y + 46), 8, SOFT if column % 3 else WARM)
    wave(draw, RIGHT, WARM)
    return "cut a tune, join it, play it in another sound"


def cover(draw: Draw) -> str:
    wave(draw, LEFT, SOFT)
    wave(draw, RIGHT, WARM)
    return "the tune of a recording in another style"


def style_transfer(draw: Draw) -> str:
    wave(draw, (48, 150, 316, 250), SOFT)
    wave(draw, (48, 272, 316, 372), WARM)
    wave(draw, RIGHT, WARM)
    return "one recording's tune, another's sound"


def audio_to_audio(draw: Draw) -> str:
    wave(draw, LEFT, SOFT)
    wave(draw, RIGHT, WARM)
    wave(draw, (436, 216, 720, 306), SOFT)
    return "half of a recording, and your words from there"


def new_words(draw: Draw) -> str:
    wave(draw, (48, 150, 316, 250), SOFT)
    words(draw, (48, 272, 316, 372), ((0, 0.8), (1, 0.62), (2, 0.7)))
    wave(draw, (436, 150, 720, 250), SOFT)
    draw.rounded_rectangle((436, 272, 720, 372), 14, fill=(32, 36, 48), outline=WARM, width=3)
    words(draw, (440, 276, 716, 368), ((0, 0.5), (1, 0.9), (2, 0.74)))
    return "the same song with other lyrics"


def new_style(draw: Draw) -> str:
    wave(draw, (48, 150, 316, 250), SOFT)
    words(draw, (48, 272, 316, 372), ((0, 0.8), (1, 0.62), (2, 0.7)))
    wave(draw, (436, 150, 720, 250), WARM)
    words(draw, (436, 272, 720, 372), ((0, 0.8), (1, 0.62), (2, 0.7)))
    return "the same song, described anew"


def repaint_section(draw: Draw) -> str:
    wave(draw, LEFT, SOFT)
    wave(draw, (436, 150, 530, 372), SOFT)
    wave(draw, (532, 150, 628, 372), WARM)
    wave(draw, (630, 150, 720, 372), SOFT)
    return "part of a recording anew, the rest untouched"


def extend_song(draw: Draw) -> str:
    wave(draw, LEFT, SOFT)
    wave(draw, (436, 150, 560, 372), WARM)
    wave(draw, (562, 150, 720, 372), SOFT)
    return "new music before or behind a recording"


def add_instrument(draw: Draw) -> str:
    wave(draw, LEFT, SOFT)
    wave(draw, (436, 150, 720, 250), SOFT)
    wave(draw, (436, 272, 720, 372), WARM)
    return "one more track to a recording"


def stems(draw: Draw) -> str:
    wave(draw, LEFT, SOFT)
    wave(draw, (436, 150, 720, 250), WARM)
    wave(draw, (436, 272, 720, 372), SOFT)
    return "the drums alone, and the rest without them"


def stem_board(draw: Draw) -> str:
    for place, height in enumerate((0.8, 0.35, 0.6, 0.5)):
        x = 84 + 66 * place
        draw.line((x, 150, x, 372), SOFT, 4)
        y = 372 - 222 * height
        draw.rounded_rectangle((x - 20, y - 12, x + 20, y + 12), 6, fill=WARM)
    wave(draw, RIGHT, WARM)
    return "every stem with its fader, mixed and measured"


def build_up(draw: Draw) -> str:
    for place in range(4):
        box = (48 + 56 * place, 150 + 58 * place, 720, 198 + 58 * place)
        wave(draw, box, WARM if place else SOFT)
    return "each track hears those before it"


def complete_arrangement(draw: Draw) -> str:
    wave(draw, (48, 215, 316, 307), SOFT)
    for place in range(3):
        wave(draw, (436, 150 + 78 * place, 720, 214 + 78 * place), WARM if place else SOFT)
    return "a band around a single track"


def variations(draw: Draw) -> str:
    words(draw, LEFT, VERSES)
    for place in range(3):
        wave(draw, (436, 150 + 78 * place, 720, 214 + 78 * place), WARM)
    return "three takes of one song, side by side"


def high_quality_base(draw: Draw) -> str:
    words(draw, LEFT, VERSES)
    wave(draw, RIGHT, WARM)
    steps(draw, 64)
    return "a song in 64 guided steps"


def custom_timesteps(draw: Draw) -> str:
    words(draw, LEFT, VERSES)
    wave(draw, RIGHT, WARM)
    steps(draw, 11)
    return "a song, by your own way from noise to music"


def stock_sampler(draw: Draw) -> str:
    for place in range(4):
        draw.rounded_rectangle(
            (48, 150 + 58 * place, 316, 198 + 58 * place), 10, fill=(32, 36, 48), outline=SOFT
        )
    wave(draw, RIGHT, WARM)
    return "a song from a sampler in parts"


def steps(draw: Draw, count: int) -> None:
    """Marks along the lower edge, as many as there are steps."""
    for place in range(count):
        x = 48 + 672 * place / (count - 1)
        draw.line((x, 392, x, 412), INK, 2)


def own_style(draw: Draw) -> str:
    wave(draw, LEFT, SOFT)
    wave(draw, RIGHT, WARM)
    return "one file, your LoRA, ComfyUI's own sampler"


def karaoke(draw: Draw) -> str:
    wave(draw, (48, 150, 720, 250), SOFT)
    for start, end in ((48, 150), (162, 300), (312, 388), (400, 560), (572, 720)):
        sung = start < 312
        draw.rounded_rectangle((start, 300, end, 330), 8, fill=WARM if sung else (52, 58, 76))
    draw.line((306, 140, 306, 350), INK, 3)
    return "a song with every word in time, as a lyrics file"


def best_of_four(draw: Draw) -> str:
    for place in range(4):
        best = place == 2
        box = (48, 150 + 58 * place, 316, 198 + 58 * place)
        wave(draw, box, WARM if best else SOFT)
    wave(draw, RIGHT, WARM)
    return "four takes are judged, the best is kept"


def fits_the_beat(draw: Draw) -> str:
    for place in range(4):
        box = (48, 150 + 58 * place, 316, 198 + 58 * place)
        wave(draw, box, WARM if place == 1 else SOFT)
    wave(draw, RIGHT, WARM)
    _beats(draw)
    return "four takes are measured: tempo and key decide"


def until_it_fits(draw: Draw) -> str:
    for place in range(3):
        box = (48, 150 + 78 * place, 316, 214 + 78 * place)
        wave(draw, box, WARM if place == 2 else SOFT)
    wave(draw, RIGHT, WARM)
    _beats(draw)
    return "take after take, until tempo and key are kept"


def _beats(draw: Draw) -> None:
    """A line at each beat of the finished song."""
    left, top, right, bottom = RIGHT
    for beat in range(5):
        x = left + (right - left) * beat / 4
        draw.line((x, top - 12, x, bottom + 12), INK, 2)


def picture_moves(draw: Draw) -> str:
    wave(draw, LEFT, WARM)
    for place, share in enumerate((0.3, 1.0, 0.6, 0.45, 0.9, 0.25)):
        x, y = 484 + 94 * (place % 3), 205 + 112 * (place // 3)
        draw.rounded_rectangle((x - 42, y - 50, x + 42, y + 50), 10, (32, 36, 48))
        draw.ellipse((x - 28, y - 28, x + 28, y + 28), tuple(round(share * c) for c in WARM))
    return "each frame as bright as the song is loud"


def measure_recording(draw: Draw) -> str:
    wave(draw, LEFT, SOFT)
    wave(draw, RIGHT, SOFT)
    for beat in range(9):
        x, bar = 448 + 33 * beat, beat % 4 == 0
        top, bottom = (150, 372) if bar else (150, 182)
        draw.line((x, top, x, bottom), WARM if bar else INK, 3)
    return "tempo, beats, key and loudness, without a model"


def native_loaders(draw: Draw) -> str:
    for row, name in enumerate(("MODEL", "CLIP", "VAE")):
        top = 158 + row * 74
        draw.rounded_rectangle((48, top, 316, top + 58), 14, fill=(32, 36, 48))
        draw.ellipse((288, top + 21, 304, top + 37), fill=WARM)
        draw.text((70, top + 15), name, INK, font=ImageFont.load_default(24))
    wave(draw, RIGHT, WARM)
    return "stock models and sampler, every ACE-Step task"


PICTURES: dict[str, Callable[[Draw], str]] = {
    "start_here": start_here,
    "text_to_music": text_to_music,
    "song_from_idea": song_from_idea,
    "full_song_with_lyrics": full_song_with_lyrics,
    "understand_audio": understand_audio,
    "polish_prompt": polish_prompt,
    "codes_as_material": codes_as_material,
    "cover": cover,
    "style_transfer": style_transfer,
    "audio_to_audio": audio_to_audio,
    "new_words": new_words,
    "new_style": new_style,
    "repaint_section": repaint_section,
    "extend_song": extend_song,
    "add_instrument": add_instrument,
    "stems": stems,
    "stem_board": stem_board,
    "build_up": build_up,
    "complete_arrangement": complete_arrangement,
    "variations": variations,
    "high_quality_base": high_quality_base,
    "custom_timesteps": custom_timesteps,
    "stock_sampler": stock_sampler,
    "own_style": own_style,
    "karaoke": karaoke,
    "best_of_four": best_of_four,
    "fits_the_beat": fits_the_beat,
    "until_it_fits": until_it_fits,
    "picture_moves": picture_moves,
    "measure_recording": measure_recording,
    "native_loaders": native_loaders,
}


def words(draw: Draw, box: Box, lines: Sequence[tuple[int, float]]) -> None:
    """A sheet of paper; of each line its row and its share of the width."""
    left, top, right, _ = box
    draw.rounded_rectangle(box, 14, fill=(32, 36, 48))
    for row, share in lines:
        y = top + 26 + row * 27
        draw.rounded_rectangle(
            (left + 26, y, left + 26 + (right - left - 52) * share, y + 9), 4, SOFT
        )


def arrow(draw: Draw, start: tuple[int, int], end: tuple[int, int]) -> None:
    draw.line((*start, *end), INK, 4)
    x, y = end
    draw.polygon(((x + 8, y), (x - 8, y - 10), (x - 8, y + 10)), INK)


def wave(draw: Draw, box: Box, colour: tuple[int, int, int]) -> None:
    """Bars whose heights swell twice, as verse and chorus do."""
    left, top, right, bottom = box
    middle, half = (top + bottom) / 2, (bottom - top) / 2
    for x in range(left, right - 3, 8):
        place = (x - left) / (right - left)
        swell = 0.35 + 0.65 * abs(math.sin(2 * math.pi * place)) * math.sin(math.pi * place)
        beat = 0.6 + 0.4 * abs(math.sin(29 * place))
        height = half * swell * beat
        draw.rounded_rectangle((x, middle - height, x + 4, middle + height), 2, fill=colour)


def wrapped(draw: Draw, text: str, size: int) -> list[str]:
    """The lines of a text between the margins."""
    font = ImageFont.load_default(size)
    lines = [""]
    for word in text.split():
        longer = f"{lines[-1]} {word}".strip()
        if draw.textlength(longer, font) <= SIDE - 2 * MARGIN or not lines[-1]:
            lines[-1] = longer
        else:
            lines.append(word)
    return lines


def picture(title: str, paint: Callable[[Draw], str]) -> Image.Image:
    """Its name, what one will hear, and a drawing of it below."""
    scene = Image.new("RGB", (SIDE, SCENE[3]), PAPER)
    arrow(ImageDraw.Draw(scene), (340, 261), (408, 261))
    below = paint(ImageDraw.Draw(scene))
    image = Image.new("RGB", (SIDE, SIDE), PAPER)
    draw, y = ImageDraw.Draw(image), MARGIN
    for text, size, colour in ((title, TITLE, INK), (below, BELOW, SOFT)):
        for line in wrapped(draw, text, size):
            draw.text((MARGIN, y), line, colour, font=ImageFont.load_default(size))
            y += round(LINE * size)
        y += MARGIN // 3
    drawn = scene.crop(SCENE)
    image.paste(drawn, (0, SIDE - drawn.height - MARGIN // 2))
    return image.resize((SHOWN, SHOWN), Image.Resampling.LANCZOS)


def main(folder: Path = WORKFLOWS) -> None:
    titles = {flow.name: flow.title for flow in (make() for make in FLOWS)}
    for name, paint in PICTURES.items():
        path = folder / f"{STEMS[name]}.jpg"
        picture(titles[name], paint).save(path, quality=QUALITY, optimize=True, progressive=True)
        print(path)


if __name__ == "__main__":
    main()
