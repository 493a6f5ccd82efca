"""What is known of how good each item of a batch is, and their order."""

from collections.abc import Sequence
from dataclasses import dataclass

from ..ace_core.alignment.score import AlignmentScore
from ..ace_core.lm.quality import Quality


@dataclass(frozen=True, slots=True)
class Score:
    """Of one item; at least one of the two is there."""

    singing: AlignmentScore | None  # how well it follows the lyrics
    codes: Quality | None  # how well its codes fit the song

    @property
    def total(self) -> float:
        """The mean of what there is."""
        parts = [part.total for part in (self.singing, self.codes) if part is not None]
        return sum(parts) / len(parts)

    def words(self) -> str:
        said = []
        if self.singing is not None:
            said.append(
                f"lyrics {self.singing.total:.4f} (coverage {self.singing.coverage:.2f}, order "
                f"{self.singing.order:.2f}, confidence {self.singing.confidence:.2f})"
            )
        if self.codes is not None:
            parts = ", ".join(f"{name} {value:.2f}" for name, value in self.codes.parts.items())
            said.append(f"codes {self.codes.total:.4f} ({parts})")
        return "; ".join(said)


def ranking(scores: Sequence[Score]) -> list[int]:
    """The places of the items, the best first; of equals the earlier."""
    return sorted(range(len(scores)), key=lambda item: -scores[item].total)


def ranking_text(scores: Sequence[Score], seeds: Sequence[int] = ()) -> str:
    """A line an item, the best first."""
    lines = []
    for rank, item in enumerate(ranking(scores), start=1):
        seed = f", seed {seeds[item]}" if item < len(seeds) else ""
        score = scores[item]
        lines.append(f"{rank}. item {item + 1}{seed}: {score.total:.4f}; {score.words()}")
    return "\n".join(lines)
