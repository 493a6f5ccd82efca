"""A task as one value: what the model is conditioned on, and how the source enters the sampling.

A function of `conditioning/tasks.py` makes it, `pipeline.sample` and every sampler of a host run
it. It does not depend on a model, a sampler or a host.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import NamedTuple

from torch import Tensor

from .constants import SHORTEST_FRAMES
from .errors import InvalidRequestError
from .types import AudioCodes

Span = tuple[float, float]  # start and end in seconds


class Length(NamedTuple):
    """The length of a task."""

    frames: int  # T of the canvas, at least the shortest one
    seconds: float  # of the music, as in the text prompt: the source before any padding
    padding: int = 0  # frames at the end of the canvas that are beyond the music

    @property
    def music_frames(self) -> int:
        """Frames of the canvas that are music."""
        return self.frames - self.padding


def source_length(frames: int, seconds: float) -> Length:
    """The length of a task on a source of `frames` latent frames that holds `seconds` of music."""
    padding = max(SHORTEST_FRAMES - frames, 0)
    return Length(frames + padding, seconds, padding)


class SourceUse(Enum):
    """What becomes of the source latents in the conditioning."""

    WHOLE = "whole"  # all of them, unchanged
    QUANTIZED = "quantized"  # through the code tokenizer and back: a cover
    MASKED = "masked"  # silence where the mask is 1: a repaint
    INIT_ONLY = "init only"  # not used; a run may only start from them (audio to audio)


@dataclass(frozen=True, slots=True)
class Preservation:
    """How the source is kept outside the mask."""

    injection: float  # share of the steps after which the source is restored
    blend_frames: int  # latent frames of the ramp on either side; 0: no blend
    audio_blend: float | None  # seconds of the waveform's ramp; None: no splice at all


@dataclass(frozen=True, slots=True, eq=False)
class Splice:
    """The source's samples, to be restored around a region after decoding."""

    audio: Tensor  # [1 or B, 2, N] at 48 kHz, padded to the canvas
    spans: Sequence[Span]  # where new music is
    crossfade: float  # seconds
    at_its_level: bool = False  # what is decoded is brought to the level of `audio` first


@dataclass(frozen=True, slots=True)
class EditWindow:
    """Where in the schedule a flow edit works, and over how many draws of noise it averages.

    Raises:
        InvalidRequestError: a window that leaves 0 to 1 or ends before it starts, or no draw.
    """

    n_min: float = 0.0  # share of the steps that are skipped before it
    n_max: float = 1.0  # share of the steps at its end; the others sample under the new words
    n_avg: int = 1  # draws per step of the window

    def __post_init__(self) -> None:
        if not 0 <= self.n_min <= self.n_max <= 1:
            raise InvalidRequestError(
                f"The edit window from {self.n_min} to {self.n_max} cannot be used. Set `n_min` "
                "and `n_max` within 0 to 1, the start at or below the end, as in 0 to 1."
            )
        if self.n_avg < 1:
            raise InvalidRequestError(
                f"{self.n_avg} draws per step cannot be averaged. Set `n_avg` to 1 or more."
            )

    def steps(self, count: int) -> tuple[int, int]:
        """The first of `count` steps inside the window, and the first behind it."""
        return int(count * self.n_min), int(count * self.n_max)


@dataclass(frozen=True, slots=True, eq=False)
class FlowEdit:
    """The words that describe the source of a morph as it is, and the window of the edit."""

    text: Tensor  # [1, L, 1024], as in `Task`
    lyrics: Tensor  # [1, L', 1024]
    window: EditWindow = EditWindow()


@dataclass(frozen=True, slots=True, eq=False)
class Task:
    """The conditioning of a run, and what is kept of its source.

    Raises:
        InvalidRequestError: a strength outside 0 to 1, a cover strength below 1 without the text
            for the steps that do not see the source, or an edit with what it cannot be joined to.
    """

    text: Tensor  # [1, L, 1024] normed hidden states of the text prompt
    lyrics: Tensor  # [1, L', 1024] token embeddings of the lyrics
    frames: int  # T, length of the canvas
    name: str = ""
    timbre: Tensor | None = None  # [R, 750, 64] reference clips; None: silence
    source: Tensor | None = None  # [1 or B, T, 64] latents, for all or per item; None: silence
    source_use: SourceUse = SourceUse.WHOLE
    mask: Tensor | None = None  # [1, T, 1] 1: new music, 0: keep; None: new music everywhere
    auto_mask: bool = False  # the model gets 2 in place of the mask: it decides where to play
    codes: AudioCodes | None = None  # decoded to hints in the place of the source
    cover_strength: float = 1.0  # share of the steps that see the source or the codes
    text_without_source: Tensor | None = None  # [1, L, 1024] for the rest of the steps
    source_strength: float = 0.0  # share of the source in the starting noise
    keep: Preservation | None = None  # of the source outside the mask while sampling
    splice: Splice | None = None  # of the source outside the mask after decoding
    edit: FlowEdit | None = None  # a morph: the words of its source, exchanged for the others
    padding: int = 0  # frames at the end of the canvas that are beyond the music
    warnings: tuple[str, ...] = ()  # what of the request is not used or not read, for the user

    def __post_init__(self) -> None:
        check_strength("cover strength", self.cover_strength)
        check_strength("source strength", self.source_strength)
        if self.cover_strength < 1 and self.text_without_source is None:
            raise InvalidRequestError(
                f"A cover strength of {self.cover_strength:g} needs the text for the steps that "
                "do not see the source. Set it with `tasks.with_cover_strength`."
            )
        if self.edit is not None:
            self._check_edit()

    @property
    def music_frames(self) -> int:
        """Frames of the canvas that are music."""
        return self.frames - self.padding

    def _check_edit(self) -> None:
        joined = {
            "a cover strength below 1": self.cover_strength < 1,
            "a source strength": self.source_strength > 0,
            "audio codes": self.codes is not None,
            "a source that is kept outside a mask": self.keep is not None,
        }
        refused = [name for name, present in joined.items() if present]
        if refused:
            raise InvalidRequestError(
                f"A morph cannot be joined to {' or '.join(refused)}: it starts from the whole "
                "recording and sees it in every step. Leave that out."
            )

    def with_source_words(self) -> "Task":
        """The task of a morph under the words that describe the source as it is.

        Raises:
            ValueError: the task is no morph.
        """
        if self.edit is None:
            raise ValueError("only a morph has the words of its source")
        return replace(self, text=self.edit.text, lyrics=self.edit.lyrics, edit=None)

    def without_source(self) -> "Task | None":
        """The task of the steps after the cover strength is spent; None: there are none.

        Lyrics, timbre and mask stay. Source: the switch at `cover_steps` in
        acestep/models/*/modeling_acestep_v15_*.py, generate_audio.
        """
        if self.text_without_source is None or self.cover_strength == 1:
            return None
        return replace(
            self,
            text=self.text_without_source,
            source=None,
            source_use=SourceUse.WHOLE,
            codes=None,
            cover_strength=1.0,
        )


def check_strength(name: str, strength: float) -> None:
    """
    Raises:
        InvalidRequestError: `strength` is outside 0 to 1.
    """
    if not 0 <= strength <= 1:
        raise InvalidRequestError(
            f"A {name} of {strength} is outside 0 to 1. Set it to 0 to ignore the source and to "
            "1 to follow it as closely as the model can."
        )
