"""What a forward of the diffusion model takes beside the weights, in bytes, from sizes alone.

Held against the tensors alive in a forward at real width (2B and XL, 10 s to 3 min): the estimate
is 1.9 to 2.1 times them, and 1.1 to 1.4 times where a device repeats the heads within a window.
"""

from typing import Final

from .config import DiTConfig

WORKSPACE: Final = 128 * 2**20  # that kernels take whatever the length, measured at 2B and XL
_LIVE: Final = 2  # times the widest layer's tensors: what repeated heads within a window need


def forward_bytes(config: DiTConfig, rows: int, frames: int, element_bytes: int) -> int:
    """Activations of one forward of `rows` items."""
    size = config.decoder
    tokens = rows * -(-frames // config.patch)
    widest = max(2 * size.intermediate_size, 3 * size.heads * size.head_dim) + 4 * size.hidden_size
    return WORKSPACE + tokens * widest * element_bytes * _LIVE
