"""Where the nodes of a workflow stand: in columns, from what one writes to what one hears.

The description says in which column a group stands; the groups of a column stand below each other
in its order. A wire runs to a column further right, or down within one.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from tools.workflows.graph import Flow

TITLE = 30  # pixels: the title bar, which stands above a node's place
HEAD, BETWEEN, FOOT, BELOW = 64, 42, 16, 20  # pixels: above, between, below nodes; below groups
ROOM = 1510  # pixels of width that a window of 1440 shows at 70 %
WIDEST, NARROWEST = 340, 270  # of a node, in pixels
GAP = 40  # pixels between columns, at least


@dataclass(frozen=True)
class Columns:
    """As many columns as there are, of equal width and distance."""

    count: int

    @property
    def width(self) -> int:
        """Of each node, in pixels."""
        return min(WIDEST, max(NARROWEST, (ROOM - (self.count - 1) * GAP) // self.count))

    @property
    def gap(self) -> int:
        between = max(1, self.count - 1)
        return min(2 * GAP, max(GAP, (ROOM - self.count * self.width) // between))

    def left(self, column: int) -> int:
        return column * (self.width + self.gap)


def columns_of(flow: Flow) -> Columns:
    return Columns(max(group.column for group in flow.groups) + 1)


def tops_of(
    groups: Sequence[tuple[int, Sequence[int]]], heights: Mapping[int, int]
) -> tuple[dict[int, int], dict[int, int]]:
    """How far down each node stands, and where each column is free. `groups`: (column, nodes)"""
    tops: dict[int, int] = {}
    floors: dict[int, int] = {}
    for column, nodes in groups:
        below = floors.get(column, 0) + HEAD
        for node in nodes:
            tops[node] = below
            below += heights[node] + BETWEEN
        floors[column] = below - BETWEEN + FOOT + BELOW
    return tops, floors


def lines_of(text: str, width: int) -> int:
    """How many lines a note takes on a node of `width` pixels."""
    letters = width / 8
    return sum(math.ceil(len(line) / letters) or 1 for line in text.splitlines())
