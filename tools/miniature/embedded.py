"""The miniature that demo, examples and code blocks are run with where nobody names a model: the
trained family as far as it is there, else the one of random weights."""

from dataclasses import dataclass
from pathlib import Path

from .checkpoints import Miniature, miniature
from .recordings import FOLDER, RECORDINGS
from .trained import DITS, PARTS, family, missing

RECORDING = FOLDER / RECORDINGS[0].name


@dataclass(frozen=True, slots=True)
class Embedded:
    """What there is: `plays` music, and `plans` it with a language model."""

    absent: tuple[str, ...]
    folder: Path | None = None

    @property
    def model(self) -> str | None:
        """The diffusion model that plays songs: base only where there is no turbo."""
        return next((name for name in DITS if name not in self.absent), None)

    @property
    def plays(self) -> bool:
        return self.model is not None and not {"vae", "text_encoder"} & set(self.absent)

    @property
    def plans(self) -> bool:
        return self.plays and "language_model" not in self.absent

    def write(self, out: Path) -> Miniature:
        """All layouts below `out`."""
        return family(out, self.folder) if self.plays else miniature(out)

    def lines(self) -> list[str]:
        """What it is, for people."""
        if not self.plays:
            lacking = ", ".join(self.absent)
            return [
                f"The trained miniature lacks {lacking}: random weights take its place, and what "
                "they play is texture, not music."
            ]
        said = ["A miniature of ACE-Step 1.5 that was trained on its own small world of sounds."]
        said += [f"It lacks {part}: {PARTS[part]}." for part in self.absent]
        return said


def embedded(folder: Path | None = None) -> Embedded:
    """Of the parts in `folder`, which are those of the repository if it is None."""
    return Embedded(tuple(missing(folder)), folder)
