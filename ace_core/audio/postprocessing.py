"""What is done to finished audio: brought to a peak or to a loudness, then faded."""

import logging
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ..constants import LONGEST_SECONDS
from ..errors import InvalidRequestError
from .loudness import loudness_gains
from .waveform import at_peak, faded

PEAK_RANGE: Final = (-60.0, 0.0)  # dB of full scale
LOUDNESS_RANGE: Final = (-60.0, 0.0)  # LUFS
FADE_RANGE: Final = (0.0, LONGEST_SECONDS)  # seconds

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class PostProcessing:
    """The level of finished audio and its fades; as it is made, the audio stays as it is.

    Raises:
        InvalidRequestError: both a peak and a loudness, or a value outside its range.
    """

    peak: float | None = None  # dB of full scale
    loudness: float | None = None  # LUFS, by ITU-R BS.1770
    fade_in: float = 0.0  # seconds of a linear ramp, at most the audio's length
    fade_out: float = 0.0

    def __post_init__(self) -> None:
        if self.peak is not None and self.loudness is not None:
            raise InvalidRequestError(
                f"A peak of {self.peak:g} dB and a loudness of {self.loudness:g} LUFS cannot both "
                "be reached. Set one of them."
            )
        for name, value, (low, high), unit in (
            ("peak", self.peak, PEAK_RANGE, "dB"),
            ("loudness", self.loudness, LOUDNESS_RANGE, "LUFS"),
            ("fade in", self.fade_in, FADE_RANGE, "seconds"),
            ("fade out", self.fade_out, FADE_RANGE, "seconds"),
        ):
            if value is not None and not low <= value <= high:
                raise InvalidRequestError(
                    f"A {name} of {value:g} {unit} is outside {low:g} to {high:g}. Set it inside "
                    "that range."
                )

    def applied(self, audio: Tensor, rate: int) -> Tensor:
        """`audio` [B, C, N] with the level and the fades, each item on its own."""
        if self.peak is not None:
            audio = at_peak(audio, self.peak)
        if self.loudness is not None:
            levelled = [_at_loudness(item, rate, self.loudness) for item in audio]
            audio = torch.stack(levelled)
        return faded(audio, self.fade_in, self.fade_out, rate)


def _at_loudness(item: Tensor, rate: int, target: float) -> Tensor:
    """One item [C, N] at `target` LUFS, or at full scale with a warning where that is less."""
    wanted, largest = loudness_gains(item, rate, target)
    if wanted > largest:
        logger.warning(
            "The audio cannot be as loud as %g LUFS without clipping: its peak is at full scale. "
            "Choose a lower loudness, or compress the audio first.",
            target,
        )
    return item * min(wanted, largest)
