"""Plots of docs/miniature.md: rolls above each other, lines, and points beside a diagonal."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..evaluation.strokes import STRUCK
from ..world.channels import STEMS

PAPER: Final = (255, 255, 255)
INK: Final = (60, 66, 78)
GRID: Final = (226, 229, 235)
COLOURS: Final = ((31, 119, 180), (214, 95, 39), (44, 140, 74), (148, 103, 189), (120, 120, 120))
MARGIN: Final = 46  # pixels
TEXT: Final = 13
WIDE, TALL = 2, 3  # pixels of a frame and of a channel
COLOURS_KEPT: Final = 32  # of a picture's palette

Point = tuple[float, float]


def lines(
    title: str, axis: str, series: Mapping[str, Sequence[Point]], path: Path, top: float = 1.0
) -> None:
    """Values from 0 to `top` over one axis, a line for each name."""
    image, draw = _canvas(520, 300, title)
    across = [x for points in series.values() for x, _ in points]
    low, high = min(across), max(across)
    box = _axes(draw, image.size, axis, sorted(set(across)), (low, high), top=top)
    for place, (name, points) in enumerate(series.items()):
        colour = COLOURS[place % len(COLOURS)]
        pixels = [_pixel(box, (x, y / top), (low, high)) for x, y in points]
        draw.line(pixels, colour, width=2)
        for x, y in pixels:
            draw.ellipse([x - 3, y - 3, x + 3, y + 3], colour)
        _key(draw, image.size, place, name, colour)
    _save(image, path)


def tempi(title: str, series: Mapping[str, Sequence[Point]], path: Path) -> None:
    """Tempo heard over tempo asked, in beats per minute; on the diagonal both are one."""
    image, draw = _canvas(400, 400, title)
    span = (55.0, 155.0)
    marks = [60.0, 75.0, 100.0, 125.0, 150.0]
    box = _axes(draw, image.size, "asked, BPM", marks, span, marks)
    corners = ((span[0], 0.0), (span[1], 1.0))
    draw.line([_pixel(box, corner, span) for corner in corners], GRID, width=2)
    for place, (name, points) in enumerate(series.items()):
        colour = COLOURS[place % len(COLOURS)]
        for asked, heard in points:
            share = (heard - span[0]) / (span[1] - span[0])
            x, y = _pixel(box, (asked + 0.6 * place, share), span)
            draw.ellipse([x - 3, y - 3, x + 3, y + 3], outline=colour, width=2)
        _key(draw, image.size, place, name, colour)
    _save(image, path)


def rolls(named: Mapping[str, Tensor], path: Path) -> None:
    """Rolls [T, 64] above each other, low channels below, a colour for each stem."""
    frames = max(len(roll) for roll in named.values())
    tall, head = 64 * TALL + 2 * TEXT, 3 * TEXT
    image = Image.new("RGB", (frames * WIDE + 2 * TEXT, tall * len(named) + head), PAPER)
    draw, font = ImageDraw.Draw(image), ImageFont.load_default(TEXT)
    for place, stem in enumerate(STEMS):
        _key(draw, (520, 0), place, stem, COLOURS[place])
    for row, (name, roll) in enumerate(named.items()):
        top = row * tall + head + TEXT
        draw.text((TEXT, top), name, INK, font=font, anchor="lm")
        for place, channels in enumerate(STEMS.values()):
            for frame, index in (roll[:, list(channels)] > STRUCK).nonzero().tolist():
                x, y = TEXT + frame * WIDE, top + TEXT + (63 - channels[index]) * TALL
                draw.rectangle([x, y, x + WIDE, y + TALL - 1], COLOURS[place])
    _save(image, path)


def _canvas(width: int, height: int, title: str) -> tuple[Image.Image, ImageDraw.ImageDraw]:
    image = Image.new("RGB", (width, height), PAPER)
    draw = ImageDraw.Draw(image)
    draw.text((width // 2, TEXT), title, INK, font=ImageFont.load_default(TEXT), anchor="mm")
    return image, draw


def _axes(
    draw: ImageDraw.ImageDraw,
    size: tuple[int, int],
    axis: str,
    marks: Sequence[float],
    span: tuple[float, float],
    rows: Sequence[float] = (),
    top: float = 1.0,
) -> tuple[int, int, int, int]:
    """Left, top, right and bottom of the plot. `rows` label the upright axis; without them it is 0
    to `top`."""
    box = (MARGIN, MARGIN, size[0] - MARGIN // 2, size[1] - MARGIN)
    font = ImageFont.load_default(TEXT - 2)
    for mark in marks:
        x, _ = _pixel(box, (mark, 0.0), span)
        draw.line([(x, box[1]), (x, box[3])], GRID)
        draw.text((x, box[3] + TEXT), f"{mark:g}", INK, font=font, anchor="mm")
    shares = {(row - span[0]) / (span[1] - span[0]): row for row in rows}
    for share, label in (shares or {each / 4: each / 4 * top for each in range(5)}).items():
        _, y = _pixel(box, (span[0], share), span)
        draw.line([(box[0], y), (box[2], y)], GRID)
        draw.text((box[0] - 6, y), f"{label:g}", INK, font=font, anchor="rm")
    draw.text(((box[0] + box[2]) // 2, size[1] - TEXT), axis, INK, font=font, anchor="mm")
    return box


def _pixel(
    box: tuple[int, int, int, int], point: Point, span: tuple[float, float]
) -> tuple[int, int]:
    """Where a point lies whose height is a share of the plot's."""
    left, top, right, bottom = box
    across = (point[0] - span[0]) / (span[1] - span[0])
    return round(left + across * (right - left)), round(bottom - point[1] * (bottom - top))


def _key(
    draw: ImageDraw.ImageDraw, size: tuple[int, int], place: int, name: str, colour: tuple[int, ...]
) -> None:
    font = ImageFont.load_default(TEXT - 2)
    x, y = MARGIN + place * (size[0] - MARGIN) // 4, 2 * TEXT + 4
    draw.rectangle([x, y - 4, x + 8, y + 4], colour)
    draw.text((x + 13, y), name, INK, font=font, anchor="lm")


def _save(image: Image.Image, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    image.quantize(COLOURS_KEPT).save(path, optimize=True)
