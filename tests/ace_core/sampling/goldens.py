"""What the golden runs were made with: the toy velocity and its inputs.

They were recorded in float32 and are read as float64: ours computes in float64, so what is left of
a difference is the rounding of the recording, the same on every processor.
"""

from pathlib import Path

from safetensors.torch import load_file
from torch import Tensor

GOLDENS = Path(__file__).parents[2] / "goldens"
SEEDS = (11, 12)
FRAMES = 11


def load(name: str) -> dict[str, Tensor]:
    """The tensors of one golden file of the sampler, in float64."""
    found = load_file(GOLDENS / f"sampling_{name}.safetensors")
    return {name: tensor.double() for name, tensor in found.items()}


class Toy:
    """The golden runs' model: a velocity that depends on x, t, the words and the context."""

    def __init__(self) -> None:
        self.inputs = load("inputs")
        self.noise = self.inputs["noise"]  # [B, T, C]
        self.source = self.inputs["clean"]  # [B, T, C]
        self.mask = self.inputs["mask"]  # [B, T, 1]

    def single(self, x: Tensor, t: float) -> Tensor:
        """With words and source."""
        return self._velocity(x, t, self.inputs["words"], self.inputs["context"])

    def pair(self, x: Tensor, t: float) -> tuple[Tensor, Tensor]:
        """With words, and with the null words on the same context."""
        context = self.inputs["context"]
        return self.single(x, t), self._velocity(x, t, self.inputs["null"], context)

    def free_single(self, x: Tensor, t: float) -> Tensor:
        """With the words of text to music, and silence for the source."""
        return self._velocity(x, t, self.inputs["other"], self.inputs["silence"])

    def free_pair(self, x: Tensor, t: float) -> tuple[Tensor, Tensor]:
        silence = self.inputs["silence"]
        return self.free_single(x, t), self._velocity(x, t, self.inputs["null"], silence)

    def _velocity(self, x: Tensor, t: float, words: Tensor, context: Tensor) -> Tensor:
        pulled = (x @ self.inputs["A"]).tanh() + 0.5 * x
        return pulled + t * self.inputs["bias"] + words + 0.1 * context

    def mixing(self, x: Tensor, t: float, words: str, context: str) -> Tensor:
        """A velocity that differs between the words named by `words` as x says, for flow edit."""
        pulled = ((x + self.inputs[words]) @ self.inputs["A"]).tanh() + 0.5 * x
        return pulled + t * self.inputs["bias"] + 0.1 * self.inputs[context]
