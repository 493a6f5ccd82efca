"""The plots of the document: what is put in is where it belongs."""

from pathlib import Path

import torch
from PIL import Image

from tools.miniature.claims import pictures
from tools.miniature.claims.pictures import COLOURS
from tools.miniature.world.channels import STEMS


def counted(path: Path, colour: tuple[int, int, int]) -> int:
    with Image.open(path) as image:
        counts = image.convert("RGB").getcolors(1 << 16) or []
    return sum(count for count, found in counts if found == colour)


def test_each_stroke_of_a_roll_is_drawn_in_the_colour_of_its_stem(tmp_path: Path):
    path, empty = tmp_path / "rolls.png", tmp_path / "empty.png"
    roll = torch.zeros(100, 64)
    pictures.rolls({"a": roll}, empty)
    roll[10, STEMS["bass"][0]] = 1
    roll[20, STEMS["bass"][0]] = roll[20, STEMS["synth"][-1]] = 1
    pictures.rolls({"a": roll}, path)
    more = [counted(path, colour) - counted(empty, colour) for colour in COLOURS[:4]]
    stroke = (pictures.WIDE + 1) * pictures.TALL
    assert more == [0, 2 * stroke, 0, stroke]


def test_a_line_and_a_point_are_drawn_for_each_name(tmp_path: Path):
    series = {"one": [(1.0, 0.0), (3.0, 1.0)], "other": [(1.0, 1.0), (3.0, 0.0)]}
    pictures.lines("Likeness", "scale", series, tmp_path / "lines.png")
    pictures.tempi("Tempo", {"one": [(60, 60)], "other": [(60, 150)]}, tmp_path / "tempi.png")
    for name in ("lines.png", "tempi.png"):
        assert all(counted(tmp_path / name, colour) > 20 for colour in COLOURS[:2])
        assert not counted(tmp_path / name, COLOURS[2])
