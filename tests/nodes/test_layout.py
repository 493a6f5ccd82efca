"""Where the groups of a workflow are put."""

from tools.workflows.layout import BELOW, BETWEEN, FOOT, HEAD, ROOM, Columns, tops_of

HEIGHTS = {1: 100, 2: 0, 3: 50, 4: 200}


def test_nodes_and_groups_of_a_column_stand_below_each_other() -> None:
    tops, floors = tops_of([(0, [1, 2]), (1, [4]), (0, [3])], HEIGHTS)
    assert tops == {
        1: HEAD,
        2: HEAD + 100 + BETWEEN,
        3: HEAD + 100 + BETWEEN + FOOT + BELOW + HEAD,
        4: HEAD,
    }
    assert floors == {0: tops[3] + 50 + FOOT + BELOW, 1: HEAD + 200 + FOOT + BELOW}


def test_columns_share_the_width_of_a_window_and_are_no_wider_than_a_node_needs() -> None:
    for count in (4, 5):
        columns = Columns(count)
        assert ROOM - count < columns.left(count - 1) + columns.width <= ROOM
    assert Columns(2).width == Columns(4).width > Columns(5).width
