"""A part of a recording as a loop: its end leads into its beginning."""

from typing import Final

import torch
from torch import Tensor

from ..errors import InvalidRequestError
from .waveform import check_waveform

CROSSFADE_RANGE: Final = (0.0, 1.0)  # seconds
REPEATS_RANGE: Final = (1, 100)


def cut(
    audio: Tensor, rate: int, span: tuple[float, float], crossfade: float = 0.0, repeats: int = 1
) -> Tensor:
    """`span`, in seconds, of one item [C, N], `repeats` times over.

    The last `crossfade` seconds of each are faded into what comes before the span in the
    recording, which leads into its beginning without a jump; where the recording begins, there is
    less to fade into.

    Raises:
        InvalidAudioError: see `check_waveform`.
        InvalidRequestError: the span lies outside the recording or is empty, or a number is outside
            its range.
    """
    check_waveform(audio[None], rate)
    first, end = (round(seconds * rate) for seconds in span)
    if not 0 <= first < end <= audio.shape[-1]:
        raise InvalidRequestError(
            f"There is nothing from {span[0]:.2f} to {span[1]:.2f} seconds in a recording of "
            f"{audio.shape[-1] / rate:.2f} seconds. Choose a part inside of it."
        )
    _check("crossfade", crossfade, CROSSFADE_RANGE)
    _check("repeats", repeats, REPEATS_RANGE)
    part = audio[:, first:end].clone()
    fade = min(round(crossfade * rate), first, end - first)
    if fade:
        weight = torch.linspace(0, 1, fade + 1, dtype=part.dtype, device=part.device)[1:]
        before = audio[:, first - fade : first]
        part[:, -fade:] = torch.lerp(part[:, -fade:], before, weight)
    return part.repeat(1, repeats)


def _check(name: str, value: float, allowed: tuple[float, float]) -> None:
    low, high = allowed
    if not low <= value <= high:
        raise InvalidRequestError(
            f"`{name}` is {value:g}, but it may be {low:g} to {high:g}. Set it inside that range."
        )
