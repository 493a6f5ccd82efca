"""A picture of a song: waveform above, spectrogram below, time axis between them.

The left channel is drawn up from the middle line, the right one down; the bright core is the RMS,
the darker rim the peaks. It takes and returns tensors, no files.

`levels` and `spectrogram` reduce the audio to one value per pixel: a long song costs one pass over
its samples and a number of spectra that depends on the width only.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image, ImageDraw, ImageFont
from torch import Tensor

from ..constants import CHANNELS, SAMPLE_RATE
from ..errors import InvalidRequestError
from .waveform import check_waveform

SMALLEST: Final = (320, 160)  # pixels; in a smaller picture labels cover the plot
RANGE_DB: Final = 78.0  # between black and white in the spectrogram
STEPS: Final = (0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800)  # s between labels
PITCHES: Final = ((100, "100"), (300, "300"), (1_000, "1k"), (3_000, "3k"), (10_000, "10k"))  # Hz

Colour = tuple[int, int, int]
Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
PAPER: Final[Colour] = (17, 20, 26)
PANEL: Final[Colour] = (23, 27, 35)
LINE: Final[Colour] = (52, 60, 74)
INK: Final[Colour] = (150, 161, 178)
RIM: Final[Colour] = (62, 104, 132)
CORE: Final[Colour] = (138, 199, 214)
HEAT: Final[tuple[Colour, ...]] = (
    (17, 20, 28),
    (29, 35, 62),
    (58, 50, 103),
    (110, 59, 121),
    (171, 76, 112),
    (222, 116, 92),
    (245, 178, 112),
    (253, 236, 190),
)
WINDOW: Final = 4096  # samples of one spectrum: 85 ms, 12 Hz apart
SPECTRA_PER_PIXEL: Final = 3  # at most; between them a long song is skipped
LOWEST: Final = 40.0  # Hz
HIGHEST: Final = 20_000.0  # Hz
CHUNK: Final = 512  # spectra at a time, 8 MB


@dataclass(frozen=True, slots=True)
class Layout:
    """Positions and sizes in pixels."""

    width: int
    height: int

    @property
    def unit(self) -> int:
        """Text size; margins are multiples of it."""
        return max(9, round(min(self.width / 78, self.height / 38)))

    @property
    def left(self) -> int:
        return self.unit * 3

    @property
    def columns(self) -> int:
        return self.width - self.left - self.unit

    @property
    def wave(self) -> tuple[int, int]:
        """Top and height of the waveform."""
        return self.unit, round(self._available * 0.42)

    @property
    def heat(self) -> tuple[int, int]:
        """Top and height of the spectrogram."""
        top, height = self.wave
        return top + height + 2 * self.unit, self._available - height

    @property
    def _available(self) -> int:
        return self.height - 4 * self.unit


def picture(audio: Tensor, rate: int = SAMPLE_RATE, width: int = 1024, height: int = 512) -> Tensor:
    """One item [C, N] as an image [height, width, 3], 0 to 1.

    Raises:
        InvalidAudioError: the audio is empty or not finite.
        InvalidRequestError: the picture is too small to read.
    """
    check_waveform(audio[None], rate)
    if width < SMALLEST[0] or height < SMALLEST[1]:
        raise InvalidRequestError(
            f"A picture of {width} x {height} pixels is too small to read. Make it at least "
            f"{SMALLEST[0]} x {SMALLEST[1]}."
        )
    layout = Layout(width, height)
    audio = audio.detach().float().cpu()[:CHANNELS]
    canvas = torch.tensor(PAPER, dtype=torch.float32).expand(height, width, 3).clone()
    _place(canvas, layout, layout.wave, _waveform(audio, layout))
    _place(canvas, layout, layout.heat, _heat(audio, rate, layout))
    image = Image.fromarray(canvas.round().to(torch.uint8).numpy())
    _label(ImageDraw.Draw(image), layout, audio, rate)
    return torch.from_numpy(np.asarray(image).copy()).float() / 255


def _place(canvas: Tensor, layout: Layout, lane: tuple[int, int], part: Tensor) -> None:
    top, height = lane
    canvas[top : top + height, layout.left : layout.left + layout.columns] = part


def _waveform(audio: Tensor, layout: Layout) -> Tensor:
    """[height, columns, 3]"""
    height = layout.wave[1]
    peak, rms = levels(audio, layout.columns)  # [C, columns]
    scale = 1 / max(1.0, float(peak.max()))  # peaks beyond full scale are scaled to fit
    lane = torch.tensor(PANEL, dtype=torch.float32).expand(height, layout.columns, 3)
    for level, colour in ((peak, RIM), (rms, CORE)):
        coverage = _coverage(level * scale, height)[..., None]
        lane = lane + (torch.tensor(colour) - lane) * coverage
    return lane


def _coverage(level: Tensor, height: int) -> Tensor:
    """Share of each pixel inside the waveform, [height, columns], antialiased at its edge."""
    middle = height / 2
    rows = torch.arange(height)[:, None] + 0.5 - middle  # from the middle line, down is positive
    up, down = level[0], level[-1]
    extent = torch.where(rows < 0, up, down) * (middle - 2)
    return (extent - rows.abs() + 0.75).clamp(0, 1)


def _heat(audio: Tensor, rate: int, layout: Layout) -> Tensor:
    """[height, columns, 3]"""
    db = spectrogram(audio, rate, layout.columns, layout.heat[1])
    index = (1 + db / RANGE_DB).clamp(0, 1) * (len(HEAT) - 1)
    table = torch.tensor(HEAT, dtype=torch.float32)
    below = index.long().clamp(max=len(HEAT) - 2)
    return torch.lerp(table[below], table[below + 1], (index - below)[..., None])


def _label(draw: ImageDraw.ImageDraw, layout: Layout, audio: Tensor, rate: int) -> None:
    font = ImageFont.load_default(layout.unit)
    _label_time(draw, layout, audio.shape[1] / rate, font)
    top, height = layout.heat
    rows = frequencies(rate, height).numpy()
    for hertz, name in PITCHES:
        if hertz < rows[0]:
            y = top + int(np.abs(rows - hertz).argmin())
            _text(draw, (layout.left - layout.unit // 2, y), name, "rm", font)
            draw.line([(layout.left - 3, y), (layout.left - 1, y)], LINE)
    top, height = layout.wave
    lanes = (("L", 0.25), ("R", 0.75)) if len(audio) == CHANNELS else ()
    for name, part in lanes:
        position = (layout.left - layout.unit // 2, top + round(height * part))
        _text(draw, position, name, "rm", font)


def _label_time(draw: ImageDraw.ImageDraw, layout: Layout, seconds: float, font: Font) -> None:
    top, height = layout.wave
    least = seconds * layout.unit * 6 / layout.columns  # no label closer than six letters
    step = next((step for step in STEPS if step >= least), STEPS[-1])
    for count in range(math.ceil(seconds / step)):
        x = layout.left + round(count * step / seconds * layout.columns)
        draw.line([(x, top + height), (x, top + height + layout.unit // 3)], LINE)
        anchor = "lm" if count == 0 else "mm"
        if x < layout.left + layout.columns - 2 * layout.unit:
            _text(draw, (x, top + height + layout.unit), _clock(count * step, step), anchor, font)


def _text(
    draw: ImageDraw.ImageDraw, position: tuple[int, int], text: str, anchor: str, font: Font
) -> None:
    draw.text(position, text, INK, font=font, anchor=anchor)


def _clock(seconds: float, step: float) -> str:
    """Minutes and seconds, with a tenth where the labels are that close."""
    minutes, rest = divmod(round(seconds, 1), 60)
    return f"{int(minutes)}:{rest:04.1f}" if step < 1 else f"{int(minutes)}:{int(rest):02d}"


def levels(audio: Tensor, width: int) -> tuple[Tensor, Tensor]:
    """Peak and RMS of each channel [C, N] in each of `width` columns, both [C, width]."""
    block = max(1, math.ceil(audio.shape[1] / width))
    even = audio.shape[1] // block * block
    parts = [audio[:, :even].unflatten(1, (-1, block))]  # a view, not a copy
    if even < audio.shape[1]:
        parts.append(audio[:, None, even:])
    peak = torch.cat([torch.maximum(p.amax(2), -p.amin(2)) for p in parts], dim=1)
    rms = torch.cat([torch.linalg.vector_norm(p, dim=2) / p.shape[2] ** 0.5 for p in parts], dim=1)
    return _columns(peak, width), _columns(rms, width)


def spectrogram(audio: Tensor, rate: int, width: int, height: int) -> Tensor:
    """Power of [C, N] over time and log frequency, weighted +1.5 dB per octave, in dB relative to
    the maximum, [height, width]."""
    hop = max(1, audio.shape[1] // (width * SPECTRA_PER_PIXEL))
    mono = F.pad(audio.mean(0), (WINDOW // 2, WINDOW // 2))
    frames = mono.unfold(0, WINDOW, hop)  # [F, WINDOW], a view
    window = torch.hann_window(WINDOW, device=audio.device)
    bands = _bands(rate, height).to(audio.device)
    power = torch.cat(
        [torch.fft.rfft(part * window).abs().square() @ bands for part in frames.split(CHUNK)]
    )  # [F, height]
    pooled = F.adaptive_avg_pool1d(power.T, width)  # [height, width]
    return 10 * torch.log10((pooled / pooled.amax().clamp(min=1e-6)).clamp(min=1e-12))


def frequencies(rate: int, height: int) -> Tensor:
    """Frequency of each row in Hz, the highest first, [height]."""
    highest = min(HIGHEST, rate / 2)
    rows = torch.linspace(math.log(highest), math.log(LOWEST), height, dtype=torch.float64)
    return rows.exp()


def _bands(rate: int, height: int) -> Tensor:
    """Weight of each bin in each row: triangles at least one bin wide, [bins, height].

    Weighted +1.5 dB per octave, half the usual slope of music, so that treble stays visible.
    """
    bins = torch.arange(WINDOW // 2 + 1, dtype=torch.float64) * rate / WINDOW
    rows = frequencies(rate, height)
    half_width = torch.maximum(rows - rows * rows[-1] / rows[-2], torch.tensor(rate / WINDOW))
    weights = (1 - (bins[:, None] - rows).abs() / half_width).clamp(min=0)
    return (weights / weights.sum(0) * (rows / 1000).sqrt()).float()


def _columns(values: Tensor, width: int) -> Tensor:
    """Exactly `width` columns: a short item has fewer samples than the picture has pixels."""
    return F.interpolate(values[None], size=width, mode="nearest")[0]
