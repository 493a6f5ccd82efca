"""NaN and infinite values in a weight file, found when it is read: exact, and with no copy.

A floating-point tensor is finite when its least and its greatest value are, for a NaN is both. The
formats of one byte have no such reduction; theirs is over the bytes, whose greatest are no numbers.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import torch
from torch import Tensor

from ..errors import CheckpointError

_FOUR_BITS: Final = getattr(torch, "float4_e2m1fn_x2", None)  # every one of its values is finite
_CHUNK: Final = 1 << 22  # values that are counted at once, where something was found


def check_finite(file: Path, tensors: Mapping[str, Tensor]) -> None:
    """`tensors` are those of `file` by its own keys; integers are passed over.

    Raises:
        CheckpointError: some hold NaN or infinite values: how many tensors, and the first by key.
    """
    broken = [key for key, tensor in tensors.items() if not _is_finite(tensor)]
    if broken:
        first = tensors[broken[0]]
        raise CheckpointError(
            f"{file}: {len(broken)} of its {len(tensors)} tensors hold values that are not finite. "
            f"The first is {broken[0]!r} with {_counted(first)} among {first.numel()}. A model "
            "with such weights gives noise or silence. Download the file again; if it was trained "
            "or merged here, take an earlier state of it."
        )


def _is_finite(tensor: Tensor) -> bool:
    if tensor.numel() == 0 or not tensor.is_floating_point() or tensor.dtype is _FOUR_BITS:
        return True
    if tensor.element_size() == 1:
        return _byte_is_finite(tensor)
    least, greatest = torch.aminmax(tensor)
    return bool(torch.isfinite(least) & torch.isfinite(greatest))


def _byte_is_finite(tensor: Tensor) -> bool:
    """Of a format of one byte: no byte is among those that stand for no finite number."""
    every = torch.arange(256, dtype=torch.uint8)
    bad = every[~torch.isfinite(every.view(tensor.dtype).float())].to(torch.int16).tolist()
    positive, negative = [b for b in bad if b < 128], [b for b in bad if b >= 128]
    unsigned, signed = tensor.view(torch.uint8), tensor.view(torch.int8)
    if negative == [128]:  # the formats whose only one is the negative zero
        return int(signed.min()) > -128
    if positive and int(signed.max()) >= positive[0]:
        return False
    return not negative or int(unsigned.max()) < negative[0]


def _counted(tensor: Tensor) -> str:
    """How many values are NaN and how many infinite, in words."""
    nan = infinite = 0
    for part in tensor.flatten().split(_CHUNK):
        values = part.float() if part.element_size() == 1 else part
        nan += int(torch.isnan(values).sum())
        infinite += int(torch.isinf(values).sum())
    counts = ((nan, "NaN"), (infinite, "infinite"))
    return " and ".join(f"{count} {what}" for count, what in counts if count)
