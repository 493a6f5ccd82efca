"""Where the groups of a workflow are put."""

import pytest

from tools.workflows.layout import HEAD, Wire, arrange

HEIGHTS = dict.fromkeys(range(1, 6), 100)


def wire(source: int, target: int, slot: int = 0, place: int = 0) -> Wire:
    return Wire((source, slot), 20 * slot, target, 20 * place)


def test_a_node_stands_right_of_what_it_needs() -> None:
    layout = arrange([[1], [2], [3]], HEIGHTS, [wire(1, 2), wire(2, 3)])
    assert layout.columns == {1: 0, 2: 1, 3: 2}
    assert len(set(layout.tops.values())) == 1  # so the wires are straight


def test_what_needs_nothing_stands_just_before_its_first_reader() -> None:
    wires = [wire(1, 2), wire(2, 3), wire(4, 3, place=1)]
    assert arrange([[1], [2], [3], [4]], HEIGHTS, wires).columns[4] == 1


def test_a_wire_that_passes_a_column_has_a_lane_beside_its_nodes() -> None:
    layout = arrange([[1], [2], [3]], HEIGHTS, [wire(1, 2), wire(2, 3), wire(1, 3, place=1)])
    lane = layout.lanes[1, 0]
    assert (lane.first, lane.last) == (1, 1)
    assert not layout.tops[2] - HEAD < lane.top < layout.tops[2] + HEIGHTS[2]
    assert list(layout.lanes) == [(1, 0)]


def test_groups_that_are_described_crosswise_are_put_straight() -> None:
    layout = arrange([[1], [2], [3], [4]], HEIGHTS, [wire(1, 4), wire(2, 3)])
    assert (layout.tops[1] < layout.tops[2]) == (layout.tops[4] < layout.tops[3])


def test_nodes_of_one_group_are_put_straight_too() -> None:
    layout = arrange([[1, 2], [3, 4]], HEIGHTS, [wire(1, 4), wire(2, 3)])
    assert (layout.tops[1] < layout.tops[2]) == (layout.tops[4] < layout.tops[3])


def test_groups_that_nothing_else_orders_stand_as_they_are_described() -> None:
    heights = {1: 400, 2: 100, 3: 300, 4: 50, 5: 200}
    tops = arrange([[1], [2], [3], [4], [5]], heights, []).tops
    assert sorted(tops, key=tops.__getitem__) == [1, 2, 3, 4, 5]


def test_a_group_is_as_wide_as_the_chain_in_it() -> None:
    layout = arrange([[1], [2, 3], [4]], HEIGHTS, [wire(1, 2), wire(2, 3), wire(3, 4)])
    assert layout.columns == {1: 0, 2: 1, 3: 2, 4: 3}


def test_two_groups_that_need_each_other_are_refused() -> None:
    with pytest.raises(ValueError, match="split one of them"):
        arrange([[1, 3], [2]], HEIGHTS, [wire(1, 2), wire(2, 3)])
