"""How far two ways of one computation may differ, by what their numbers are held in.

In float64 a difference is a fault: rounding stays below 1e-12 at the depth of our models. In
float32 it is not: orders of summation differ between processors, numbers of threads and sizes of
batch. A toy model of three layers rounds by about 1e-6 of its largest value, a guided run of it by
1e-5, as guidance at scale 7 and its momentum multiply what each forward rounds. The bound leaves
ten times that.
"""

from types import MappingProxyType
from typing import Final

import torch
from torch import Tensor

DOUBLE: Final = 1e-9
SINGLE: Final = 1e-4
RECORDED: Final = 1e-5  # one pass of ours in float64 beside what a reference left in float32
_BOUNDS: Final = MappingProxyType({torch.float64: DOUBLE, torch.float32: SINGLE})


def difference(given: Tensor, wanted: Tensor) -> float:
    """The largest difference, as a share of the largest value; infinite where shapes differ."""
    if given.shape != wanted.shape:
        return float("inf")
    largest = wanted.double().abs().max().item()
    apart = (given.double() - wanted.double()).abs().max().item()
    return apart / largest if largest else (float("inf") if apart else 0.0)


def assert_same(given: Tensor, wanted: Tensor) -> None:
    """Both are the same computation in the same precision, in whatever order."""
    assert given.dtype == wanted.dtype
    found = difference(given, wanted)
    assert found < _BOUNDS[given.dtype], f"they differ by {found:.1e} of the largest value"
