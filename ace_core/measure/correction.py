"""What must be changed of a recording so that it keeps the tempo and the key that were asked."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import torch
import torch.nn.functional as F
from torch import Tensor

from ..audio.tempo_key import KEY_LIMIT, TEMPO_LIMIT, Change, changed
from ..audio.waveform import check_waveform
from ..constants import BPM_RANGE, MODES
from ..errors import InvalidRequestError
from ..types import Song
from .fit import OCTAVES
from .key import KEYS, Key, key_number
from .measurement import Measurement, measure
from .tempo import Tempo

ACCURACY: Final = 0.2  # percent of a measured tempo: less is not corrected
_OTHERWISE: Final = "Keep another take, or say by how much to change it."


@dataclass(frozen=True, slots=True)
class Correction:
    """A change, and what was measured and is done about it, a line for each."""

    change: Change
    lines: tuple[str, ...]


def correction(found: Measurement, bpm: float | None = None, key: str | None = None) -> Correction:
    """From what was measured to `bpm` and `key`, either None to leave it.

    A tempo that was measured at half, twice, three times or a third of `bpm` is taken for it, as
    those are the same music counted otherwise. A major key is brought to the notes of the asked
    minor key (its relative), and the other way round: a mode cannot be changed.

    Raises:
        InvalidRequestError: the change is larger than allowed, or tempo or key was not measured;
            see also `check_asked`.
    """
    check_asked(bpm, key)
    lines = []
    tempo, semitones = 0.0, 0
    if bpm is not None:
        tempo, line = _tempo(found.tempo, bpm)
        lines.append(line)
    if key is not None:
        semitones, line = _key(found.key, key)
        lines.append(line)
    return Correction(Change(tempo, semitones), tuple(lines))


def check_asked(bpm: float | None, key: str | None) -> None:
    """
    Raises:
        InvalidRequestError: `bpm` is no tempo of the models.
        InvalidSongError: `key` is no key.
    """
    lowest, highest = BPM_RANGE
    if bpm is not None and not lowest <= bpm <= highest:
        raise InvalidRequestError(f"{bpm:g} BPM is not a tempo. Ask for {lowest} to {highest}.")
    Song(key=key)


def corrected(
    audio: Tensor, rate: int, bpm: float | None = None, key: str | None = None
) -> tuple[Tensor, list[Correction]]:
    """Each item of [B, C, N] measured and brought to `bpm` and `key`; shorter items end with
    silence. One correction per item.

    Raises:
        InvalidAudioError: see `check_waveform`.
        InvalidRequestError: see `correction`; of a batch the message has the item's number.
    """
    check_waveform(audio, rate)
    check_asked(bpm, key)
    done = [_correction_of(audio, item, rate, bpm, key) for item in range(len(audio))]
    made = [
        changed(item[None], rate, each.change)[0] for item, each in zip(audio, done, strict=True)
    ]
    return _joined(made), done


def described(change: Change) -> str:
    """A change in words."""
    parts = []
    if change.tempo:
        parts.append(f"{abs(change.tempo):.2f} % {'faster' if change.tempo > 0 else 'slower'}")
    if change.semitones:
        unit = "semitone" if abs(change.semitones) == 1 else "semitones"
        way = "up" if change.semitones > 0 else "down"
        parts.append(f"{abs(change.semitones):g} {unit} {way}")
    return ", ".join(parts) or "unchanged"


def _correction_of(
    audio: Tensor, item: int, rate: int, bpm: float | None, key: str | None
) -> Correction:
    try:
        return correction(measure(audio[item], rate), bpm, key)
    except InvalidRequestError as error:
        if len(audio) == 1:
            raise
        raise InvalidRequestError(f"Item {item + 1} of {len(audio)}: {error}") from error


def _joined(items: Sequence[Tensor]) -> Tensor:
    longest = max(item.shape[-1] for item in items)
    return torch.stack([F.pad(item, (0, longest - item.shape[-1])) for item in items])


def _tempo(found: Tempo | None, bpm: float) -> tuple[float, str]:
    """Percent, and what is said."""
    if found is None:
        raise InvalidRequestError(
            f"The recording has no steady pulse that could be brought to {bpm:g} BPM. {_OTHERWISE}"
        )
    octave = min((1.0, *OCTAVES), key=lambda each: abs(math.log(found.bpm / each / bpm)))
    counted = found.bpm / octave  # as the asked tempo counts
    said = f"{found.bpm:.1f} BPM measured"
    if octave != 1.0:
        said += f", {OCTAVES[octave]} {counted:.1f}"
    percent = 100 * (bpm / counted - 1)
    if abs(percent) > TEMPO_LIMIT:
        slowest, fastest = (counted * (1 + way * TEMPO_LIMIT / 100) for way in (-1, 1))
        raise InvalidRequestError(
            f"The recording is not brought to {bpm:g} BPM: {said}, so it would be {percent:+.0f} % "
            f"of change, and at most {TEMPO_LIMIT:g} % is made ({slowest:.1f} to {fastest:.1f} "
            f"BPM). {_OTHERWISE}"
        )
    if abs(percent) < ACCURACY:
        return 0.0, f"tempo: {said}, {bpm:g} asked; left as it is"
    return percent, f"tempo: {said}, {bpm:g} asked; {described(Change(percent))}"


def _key(found: Key | None, asked: str) -> tuple[int, str]:
    """Semitones, and what is said."""
    if found is None:
        raise InvalidRequestError(
            f"The recording has no pitch that could be brought to {asked}. {_OTHERWISE}"
        )
    (mode, pitch), (measured_mode, measured) = (
        divmod(key_number(each), 12) for each in (asked, found.name)
    )
    said = f"{found.name} measured, {asked} asked"
    if mode != measured_mode:
        pitch += 3 if MODES[mode] == "minor" else -3  # to the relative key
        goal = KEYS[12 * measured_mode + pitch % 12]
        said += f", whose notes are those of {goal}"
    up = (pitch - measured + 6) % 12 - 6
    if abs(up) > KEY_LIMIT:
        raise InvalidRequestError(
            f"The recording is not brought to {asked}: {said}, so it would be {up:+d} semitones, "
            f"and at most {KEY_LIMIT:g} up or down are made. {_OTHERWISE}"
        )
    if up == 0:
        return 0, f"key: {said}; left as it is"
    return up, f"key: {said}; {described(Change(semitones=up))}"
