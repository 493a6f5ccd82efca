"""A picture of what was measured: bars, beats, silences and clipping over waveform and spectrogram.

The first line says the values, the last one which colour means what.
"""

import math
from typing import Final

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..audio.picture import INK, Colour, Layout, picture
from .beats import beat_grid
from .levels import clipped, silences
from .measurement import Measurement
from .report import summary
from .voice import Spans

DOWNBEAT: Final[Colour] = (255, 168, 92)
BEAT: Final[Colour] = (196, 203, 214)
SILENT: Final[Colour] = (96, 108, 190)
CLIPPED: Final[Colour] = (255, 64, 64)
VOCALS: Final[Colour] = (126, 211, 122)
SHARE: Final = 0.12  # of the waveform's height that a beat's line has at either edge
CLOSEST: Final = 4  # pixels between lines; closer ones are left out
VEIL: Final = 120  # of 255: opacity of a silence


def measured_picture(
    audio: Tensor,
    rate: int,
    found: Measurement,
    vocals: Spans = (),
    size: tuple[int, int] = (1024, 512),
) -> Tensor:
    """One item [C, N] and its measurement as an image [height, width, 3], 0 to 1; `size` is width
    and height.

    Raises:
        InvalidAudioError: the audio is empty or not finite.
        InvalidRequestError: the picture is too small to read.
    """
    layout = Layout(*size)
    plain = (picture(audio, rate, *size) * 255).round().to(torch.uint8)
    image = Image.fromarray(plain.numpy())
    marks = _Marks(image, layout, found.seconds)
    marks.spans(silences(audio, rate), SILENT)
    marks.grid(beat_grid(found).downbeats, beat_grid(found).beats)
    marks.strip(vocals, VOCALS)
    marks.columns(clipped(audio.float().cpu()).any(dim=0), CLIPPED)
    marks.words(summary(found), bool(vocals))
    return torch.from_numpy(np.asarray(image).copy()).float() / 255


class _Marks:
    """Draws on the waveform of a picture that is there."""

    def __init__(self, image: Image.Image, layout: Layout, seconds: float) -> None:
        self.image, self.layout, self.seconds = image, layout, seconds
        self.draw = ImageDraw.Draw(image, "RGBA")
        self.top, height = layout.wave
        self.end = self.top + height - 1

    def x(self, seconds: float) -> int:
        last = self.layout.columns - 1
        return self.layout.left + min(last, round(seconds / self.seconds * self.layout.columns))

    def spans(self, spans: Spans, colour: Colour) -> None:
        for start, end in spans:
            box = [self.x(start), self.top, self.x(end), self.end]
            self.draw.rectangle(box, fill=(*colour, VEIL))

    def strip(self, spans: Spans, colour: Colour) -> None:
        for start, end in spans:
            tall = self.layout.unit // 3
            self.draw.rectangle([self.x(start), self.end - tall, self.x(end), self.end], colour)

    def grid(self, downbeats: tuple[float, ...], beats: tuple[float, ...]) -> None:
        tall = round((self.end - self.top) * SHARE)
        if self._apart(beats):
            for beat in beats:
                x = self.x(beat)
                self.draw.line([(x, self.top), (x, self.top + tall)], (*BEAT, 200))
                self.draw.line([(x, self.end - tall), (x, self.end)], (*BEAT, 200))
        if self._apart(downbeats):
            for beat in downbeats:
                x = self.x(beat)
                self.draw.line([(x, self.top), (x, self.end)], (*DOWNBEAT, 220))

    def _apart(self, times: tuple[float, ...]) -> bool:
        """Whether lines at these times can be told apart."""
        if len(times) < 2:
            return True
        pixels = (times[-1] - times[0]) / self.seconds * self.layout.columns
        return pixels / (len(times) - 1) >= CLOSEST

    def columns(self, where: Tensor, colour: Colour) -> None:
        """Marks the columns of the samples [N] that are true, at the upper edge."""
        places = where.nonzero().flatten() * self.layout.columns // len(where)
        for column in places.unique().tolist():
            x, tall = self.layout.left + column, self.layout.unit // 2
            self.draw.rectangle([x, self.top, x + 1, self.top + tall], colour)

    def words(self, text: str, sung: bool) -> None:
        unit, left = self.layout.unit, self.layout.left
        font = ImageFont.load_default(max(8, round(0.8 * unit)))
        self.draw.text((left, self.top // 2), text, INK, font=font, anchor="lm")
        row, x = self.layout.height - math.ceil(unit / 2), left
        names = [("downbeat", DOWNBEAT), ("beat", BEAT), ("silence", SILENT), ("clipped", CLIPPED)]
        for name, colour in [*names, *([("vocals", VOCALS)] if sung else [])]:
            side = unit // 2
            self.draw.rectangle([x, row - side // 2, x + side, row + side // 2], colour)
            self.draw.text((x + 1.5 * side, row), name, INK, font=font, anchor="lm")
            x += round(2.5 * side + self.draw.textlength(name, font=font) + side)
