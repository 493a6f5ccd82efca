"""The values that are passed between stages. Each is checked once, when it is made.

Shape letters used everywhere: `B` batch, `T` latent frames (25 Hz), `C` latent channels (64),
`S` codes (5 Hz), `L` text tokens, `H` heads, `D` head_dim, `E` hidden size, `N` audio samples.
Lower-case `t` is flow time (1 is noise, 0 is music) and nothing else. `None` means "not given".
"""

import logging
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

import torch

from .constants import (
    BPM_RANGE,
    CAPTION_CHARACTERS,
    CODE_RATE,
    CODEBOOK_SIZE,
    INSTRUMENTAL,
    KEYS,
    LANGUAGES,
    LYRIC_CHARACTERS,
    SECONDS_RANGE,
    TIME_SIGNATURES,
)
from .errors import InvalidCodesError, InvalidSongError
from .parsing import quoted
from .texts import text_fault

logger = logging.getLogger(__name__)


class Variant(Enum):
    """The training of a diffusion checkpoint, which has its own sampling defaults."""

    TURBO = "turbo"
    TURBO_CONTINUOUS = "turbo-continuous"
    BASE = "base"
    SFT = "sft"

    @property
    def distilled(self) -> bool:
        """Whether guidance is distilled into the weights."""
        return self in (Variant.TURBO, Variant.TURBO_CONTINUOUS)


@dataclass(frozen=True, slots=True)
class Song:
    """The request for a song. Every musical field may be left to the language model.

    `seconds` 10 to 600, `bpm` 30 to 300, `key` one of the 70 key-scales ("F# minor"),
    `time_signature` the numerator 2, 3, 4 or 6, `language` one of the 51 codes.

    Raises:
        InvalidSongError: a field is outside the range of the models, or no text.
    """

    caption: str = ""
    lyrics: str = ""
    seconds: float | None = None
    bpm: int | None = None
    key: str | None = None
    time_signature: int | None = None
    language: str | None = None

    def __post_init__(self) -> None:
        _check_text("caption", self.caption)
        _check_text("lyrics", self.lyrics)
        _check_seconds(self.seconds)
        _check_bpm(self.bpm)
        if self.key is not None and self.key not in KEYS:
            raise InvalidSongError(
                f"{quoted(self.key)} is not a key. Write a note A to G, an optional # or b, and "
                "major or minor, as in 'C major' or 'F# minor', or leave it automatic."
            )
        if self.time_signature is not None and self.time_signature not in TIME_SIGNATURES:
            raise InvalidSongError(
                f"{quoted(self.time_signature)} is not a time signature of the models. Choose 2, "
                "3, 4 or 6 (for 2/4, 3/4, 4/4 and 6/8), or leave it automatic."
            )
        if self.language is not None and self.language not in LANGUAGES:
            raise InvalidSongError(
                f"{quoted(self.language)} is not a language of the models. Choose one of "
                f"{', '.join(LANGUAGES)}."
            )
        _warn_of_length("caption", self.caption, CAPTION_CHARACTERS)
        _warn_of_length("lyrics", self.lyrics, LYRIC_CHARACTERS)

    @property
    def instrumental(self) -> bool:
        """Whether the lyrics ask for no singer, in any of the usual spellings."""
        return self.lyrics.strip().lower() in ("", "[inst]", INSTRUMENTAL.lower())


def _check_text(name: str, text: str) -> None:
    if fault := text_fault(text):
        raise InvalidSongError(
            f"The {name} {fault}, which neither the models nor files can hold. Remove it."
        )


def _check_seconds(seconds: float | None) -> None:
    shortest, longest = SECONDS_RANGE
    if seconds is None or shortest <= seconds <= longest:
        return
    given = "not a number" if math.isnan(seconds) else f"{seconds:g} seconds"
    raise InvalidSongError(
        f"The length is {given}, but the models play {shortest:g} to {longest:g} seconds. "
        "Set `seconds` inside that range."
    )


def _check_bpm(bpm: int | None) -> None:
    slowest, fastest = BPM_RANGE
    if bpm is not None and not slowest <= bpm <= fastest:
        raise InvalidSongError(
            f"{bpm} BPM is outside {slowest} to {fastest}. Set `bpm` inside that range, or leave "
            "it automatic."
        )


def _warn_of_length(name: str, text: str, limit: int) -> None:
    if len(text) > limit:
        logger.warning(
            "The %s has %d characters; the models were trained with at most %d. It is passed on "
            "whole; the tokenizer cuts what exceeds its own limit and says so.",
            name,
            len(text),
            limit,
        )


def parse_key(text: str) -> str:
    """The key-scale that `text` names: "Am", "f# minor" and "C Major" become "A minor", "F# minor"
    and "C major".

    Raises:
        InvalidSongError: `text` names no key.
    """
    match = re.fullmatch(r"([A-Ga-g])([#b♯♭]?)\s*(m|min|minor|M|maj|major)?", _lower_mode(text))
    if match is None:
        raise InvalidSongError(
            f"{quoted(text)} is not a key. Write it as 'C major', 'F# minor' or 'Am'."
        )
    note, accidental, mode = match.groups()
    return f"{note.upper()}{accidental} {'minor' if mode in ('m', 'min', 'minor') else 'major'}"


def _lower_mode(text: str) -> str:
    """`text` with its mode word in lower case; a lone M or m keeps its meaning."""
    stripped = text.strip()
    return re.sub(r"(?i)(maj(or)?|min(or)?)$", lambda word: word.group().lower(), stripped)


@dataclass(frozen=True, slots=True)
class AudioCodes:
    """A song as 5 Hz audio codes, each 0 to 63,999.

    Raises:
        InvalidCodesError: a code is outside the codebook.
    """

    values: tuple[int, ...]

    def __post_init__(self) -> None:
        for index, code in enumerate(self.values):
            if not 0 <= code < CODEBOOK_SIZE:
                raise InvalidCodesError(
                    f"Code {code} at index {index} is outside 0 to {CODEBOOK_SIZE - 1}. Remove it "
                    "or encode the audio again."
                )

    def __len__(self) -> int:
        return len(self.values)

    @property
    def seconds(self) -> float:
        return len(self.values) / CODE_RATE


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """The output of the VAE's encoder: a normal distribution of each latent."""

    mean: torch.Tensor  # [B, C, T]
    std: torch.Tensor  # [B, C, T]

    def sample(self, generator: torch.Generator | Sequence[torch.Generator]) -> torch.Tensor:
        """One draw, [B, C, T]; with a generator per item, item i does not depend on the others."""
        if isinstance(generator, torch.Generator):
            return self.mean + self.std * self._noise(self.mean, generator)
        if len(generator) != len(self.mean):
            raise ValueError(f"{len(generator)} generators for {len(self.mean)} items")
        draws = [self._noise(item, each) for item, each in zip(self.mean, generator, strict=True)]
        return self.mean + self.std * torch.stack(draws)

    @staticmethod
    def _noise(like: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
        noise = torch.randn(
            like.shape, generator=generator, device=generator.device, dtype=like.dtype
        )
        return noise.to(like.device)
