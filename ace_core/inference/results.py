"""What a call of the published API returns. An error is a value, too: `success` is False."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class GenerationResult:
    """Songs, or the error.

    Each of `audios` has "path" (empty without a folder to save in), "tensor" [channels, samples]
    float32 on the CPU, "key", "sample_rate" and "params". `extra_outputs` holds "latents"
    [B, T, C], "masks" [B, T], "lm_metadata" and "time_costs" (seconds).
    """

    audios: list[dict[str, Any]] = field(default_factory=list)
    status_message: str = ""
    extra_outputs: dict[str, Any] = field(default_factory=dict)
    success: bool = True
    error: str | None = None

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class SongDescription:
    """What the language model says about a song."""

    caption: str = ""
    lyrics: str = ""
    bpm: int | None = None
    duration: float | None = None
    keyscale: str = ""
    language: str = ""
    timesignature: str = ""

    def to_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass
class UnderstandResult(SongDescription):
    """A description of audio codes. `None` or empty: not found."""

    status_message: str = ""
    success: bool = True
    error: str | None = None


@dataclass
class CreateSampleResult(SongDescription):
    """A song made up from an idea."""

    instrumental: bool = False
    status_message: str = ""
    success: bool = True
    error: str | None = None


@dataclass
class FormatSampleResult(SongDescription):
    """A draft in the wording and layout that the models were trained on."""

    status_message: str = ""
    success: bool = True
    error: str | None = None
