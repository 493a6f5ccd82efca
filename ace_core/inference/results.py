"""What a call of the published API gives back. A refusal is a value, too: `success` is False."""

from dataclasses import asdict, dataclass, field
from typing import Any


@dataclass
class GenerationResult:
    """Songs, or why there are none.

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
class Described:
    """What the language model says of a song."""

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
class UnderstandResult(Described):
    """What audio codes play. `None` or empty: not found."""

    status_message: str = ""
    success: bool = True
    error: str | None = None


@dataclass
class CreateSampleResult(Described):
    """A song made up from an idea."""

    instrumental: bool = False
    status_message: str = ""
    success: bool = True
    error: str | None = None


@dataclass
class FormatSampleResult(Described):
    """A draft, worded and laid out as the models were trained."""

    status_message: str = ""
    success: bool = True
    error: str | None = None
