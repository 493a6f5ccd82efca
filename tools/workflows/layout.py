"""Where the groups of a workflow stand: wires run to the right, and behind no node.

Each node's column follows from what it needs. A wire that passes columns gets a lane of its own
through them. The order from top to bottom is the one with the fewest crossings that a short search
finds; the same description always gives the same places.
"""

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

LANE = 40  # pixels of height that a passing wire keeps free
HEAD, BETWEEN, FOOT, BELOW = 84, 64, 24, 44  # pixels: above, between and below nodes, below groups
CROSSING = 1000.0  # what a crossing costs, in pixels of wire
DISORDER = 60.0  # what a pair costs that stands other than it was described
STEEP = 400  # pixels: what a curve rises beyond this counts twice
ROUNDS, STARTS = 8, 6  # of the search

Output = tuple[int, int]  # node, slot


@dataclass(frozen=True)
class Wire:
    """From an output to an input; `leaves` and `arrives` are pixels below the nodes' tops."""

    output: Output
    leaves: int
    target: int
    arrives: int


@dataclass(frozen=True)
class Lane:
    """The way of one output through columns `first` to `last`."""

    output: Output
    first: int
    last: int
    top: int = 0


@dataclass
class Layout:
    columns: dict[int, int]
    tops: dict[int, int]
    lanes: dict[Output, Lane]


Stack = tuple[tuple[int, int], ...]  # (node, height), from top to bottom


@dataclass(frozen=True)
class _Block:
    """A group or a lane: the columns it takes, its height, and how far down its nodes stand."""

    first: int
    last: int
    height: int
    place: int  # in the description
    stacks: tuple[Stack, ...] = ()  # one per column
    nodes: dict[int, int] = field(default_factory=dict)
    lane: Output | None = None


def arrange(groups: Sequence[Sequence[int]], heights: dict[int, int], wires: list[Wire]) -> Layout:
    """
    Raises:
        ValueError: two groups need each other's nodes.
    """
    columns = _columns(groups, wires)
    lanes = _lanes(columns, wires)
    blocks = [_group_block(place, group, columns, heights) for place, group in enumerate(groups)]
    blocks += [
        _Block(lane.first, lane.last, LANE, len(groups), lane=lane.output)
        for lane in lanes.values()
    ]
    blocks.sort(key=lambda block: block.first)

    def cost(order: list[_Block]) -> float:
        tops, ways = _stacked(order, columns, wires)
        return _cost(tops, ways, columns, lanes, wires) + DISORDER * _disorder(order)

    shuffle = random.Random(0).shuffle
    found = [_searched(list(blocks), cost)]
    for _ in range(STARTS - 1):
        shuffle(blocks)
        found.append(_searched(list(blocks), cost))
    tops, ways = _stacked(min(found, key=cost), columns, wires)
    placed = {key: Lane(key, lane.first, lane.last, ways[key]) for key, lane in lanes.items()}
    return Layout(columns, tops, placed)


def _columns(groups: Sequence[Sequence[int]], wires: list[Wire]) -> dict[int, int]:
    """Right of all that a node needs; what needs nothing stands just before its first reader."""
    owner = {node: place for place, group in enumerate(groups) for node in group}
    inner = _depths(owner, [w for w in wires if owner[w.output[0]] == owner[w.target]])
    outer = [w for w in wires if owner[w.output[0]] != owner[w.target]]
    starts = [0] * len(groups)
    for _ in range(len(groups) + 1):
        before = list(starts)
        for wire in outer:
            needed = starts[owner[wire.output[0]]] + inner[wire.output[0]] + 1 - inner[wire.target]
            starts[owner[wire.target]] = max(starts[owner[wire.target]], needed)
        if starts == before:
            break
    else:
        raise ValueError("Two groups need each other's nodes; split one of them.")
    fed = {owner[wire.target] for wire in outer}
    for place in set(range(len(groups))) - fed:
        out = [w for w in outer if owner[w.output[0]] == place]
        room = [starts[owner[w.target]] + inner[w.target] - 1 - inner[w.output[0]] for w in out]
        starts[place] = min(room, default=0)
    return {node: starts[owner[node]] + inner[node] for node in owner}


def _depths(nodes: dict[int, int], wires: list[Wire]) -> dict[int, int]:
    """Length of the longest path along `wires` to each node."""
    depths = dict.fromkeys(nodes, 0)
    for _ in nodes:
        for wire in wires:
            depths[wire.target] = max(depths[wire.target], depths[wire.output[0]] + 1)
    return depths


def _lanes(columns: dict[int, int], wires: list[Wire]) -> dict[Output, Lane]:
    lanes: dict[Output, Lane] = {}
    for wire in wires:
        first, last = columns[wire.output[0]] + 1, columns[wire.target] - 1
        known = lanes.get(wire.output)
        if first <= last and (known is None or known.last < last):
            lanes[wire.output] = Lane(wire.output, first, last)
    return lanes


def _group_block(
    place: int, group: Sequence[int], columns: dict[int, int], heights: dict[int, int]
) -> _Block:
    taken = {columns[node] for node in group}
    return _block(
        min(taken),
        place,
        tuple(
            tuple((node, heights[node]) for node in group if columns[node] == column)
            for column in range(min(taken), max(taken) + 1)
        ),
    )


def _block(first: int, place: int, stacks: tuple[Stack, ...]) -> _Block:
    nodes: dict[int, int] = {}
    bottom = 0
    for stack in stacks:
        top = HEAD
        for node, height in stack:
            nodes[node] = top
            bottom = max(bottom, top + height)
            top += height + BETWEEN
    return _Block(first, first + len(stacks) - 1, bottom + FOOT + BELOW, place, stacks, nodes)


def _stacked(
    order: list[_Block], columns: dict[int, int], wires: list[Wire]
) -> tuple[dict[int, int], dict[Output, int]]:
    """Each block as high as those before it allow, and no higher than what feeds it."""
    floor = [0] * (max(columns.values()) + 1)
    tops: dict[int, int] = {}
    ways: dict[Output, int] = {}
    feeds: dict[int, list[Wire]] = {}
    for wire in wires:
        feeds.setdefault(wire.target, []).append(wire)
    leaves = {wire.output: wire.leaves for wire in wires}
    for block in order:
        top = max(floor[block.first : block.last + 1])
        wanted = [
            tops[wire.output[0]] + wire.leaves - wire.arrives - offset
            for node, offset in block.nodes.items()
            for wire in feeds.get(node, [])
            if wire.output[0] in tops and columns[wire.output[0]] == columns[node] - 1
        ]
        if block.lane is not None and block.lane[0] in tops:
            wanted = [tops[block.lane[0]] + leaves[block.lane] - LANE // 2]
        if wanted:
            top = max(top, min(wanted))
        for column in range(block.first, block.last + 1):
            floor[column] = top + block.height
        tops |= {node: top + offset for node, offset in block.nodes.items()}
        if block.lane is not None:
            ways[block.lane] = top + LANE // 2
    return tops, ways


def _cost(
    tops: dict[int, int],
    ways: dict[Output, int],
    columns: dict[int, int],
    lanes: dict[Output, Lane],
    wires: list[Wire],
) -> float:
    gutters: dict[int, set[tuple[int, int]]] = {}
    for column, left, right in _pieces(tops, ways, columns, lanes, wires):
        gutters.setdefault(column, set()).add((left, right))
    crossings = sum(_inversions(sorted(pieces)) for pieces in gutters.values())
    rises = [abs(left - right) for pieces in gutters.values() for left, right in pieces]
    steep = sum(max(0, rise - STEEP) for rise in rises)
    return CROSSING * crossings + sum(rises) + steep + 0.5 * max(tops.values())


def _pieces(
    tops: dict[int, int],
    ways: dict[Output, int],
    columns: dict[int, int],
    lanes: dict[Output, Lane],
    wires: list[Wire],
) -> Iterator[tuple[int, int, int]]:
    """(column, height on its left, height on its right) wherever a wire passes from column on."""
    for wire in wires:
        source, target = columns[wire.output[0]], columns[wire.target]
        start, end = tops[wire.output[0]] + wire.leaves, tops[wire.target] + wire.arrives
        if target > source + 1:
            yield source, start, ways[wire.output]
            start = ways[wire.output]
        yield target - 1, start, end
    for output, lane in lanes.items():
        for column in range(lane.first, lane.last):
            yield column, ways[output], ways[output]


def _inversions(pieces: list[tuple[int, int]]) -> int:
    """How many pairs cross, in a list that is sorted by the left heights."""
    return sum(
        one[0] < other[0] and one[1] > other[1]
        for place, one in enumerate(pieces)
        for other in pieces[place + 1 :]
    )


def _disorder(order: list[_Block]) -> int:
    """How many pairs of groups in one column are not in the order of the description."""
    groups = [block for block in order if block.lane is None]
    return sum(
        one.first == other.first and one.place > other.place
        for number, one in enumerate(groups)
        for other in groups[number + 1 :]
    )


def _searched(order: list[_Block], cost: Callable[[list[_Block]], float]) -> list[_Block]:
    """Take one block to another place, or turn it over, as long as that costs less."""
    best = cost(order)
    for _ in range(ROUNDS):
        before = best
        for place in range(len(order)):
            for tried in _moves(order, place):
                if (found := cost(tried)) < best:
                    best, order = found, tried
        if best == before:
            break
    return order


def _moves(order: list[_Block], taken: int) -> Iterator[list[_Block]]:
    """`order` with one block elsewhere or turned over, and with two exchanged."""
    block, rest = order[taken], order[:taken] + order[taken + 1 :]
    for each in (block, *_turned(block)):
        for place in range(len(order)):
            if place == 0 or _meet(block, rest[place - 1]):  # else it is as one place before
                yield [*rest[:place], each, *rest[place:]]
    for place in range(taken + 1, len(order)):
        changed = list(order)
        changed[taken], changed[place] = changed[place], changed[taken]
        yield changed


def _meet(one: _Block, other: _Block) -> bool:
    """Whether they share a column or stand in neighbouring ones."""
    return one.first <= other.last + 1 and other.first <= one.last + 1


def _turned(block: _Block) -> Iterator[_Block]:
    """The block with two neighbours of a column exchanged, in every way."""
    for column, stack in enumerate(block.stacks):
        for place in range(len(stack) - 1):
            turned = (*stack[:place], stack[place + 1], stack[place], *stack[place + 2 :])
            stacks = (*block.stacks[:column], turned, *block.stacks[column + 1 :])
            yield _block(block.first, block.place, stacks)
