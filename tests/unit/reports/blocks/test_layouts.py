"""Where the boxes of a graph stand."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from headrace.reports.blocks.layouts import HEIGHT, WIDTH, arrange


def columns(keys, edges):
    """Return the keys by column, from left to right."""
    found = {}
    for key, (x, _) in arrange(keys, edges).places.items():
        found.setdefault(x, []).append(key)
    return [found[x] for x in sorted(found)]


def test_each_box_stands_right_of_all_that_it_depends_on():
    assert columns("cab", [("a", "b"), ("b", "c"), ("a", "c")]) == [["a"], ["b"], ["c"]]


def test_what_depends_on_nothing_stands_just_before_its_use():
    """A schema that is imported for the last node does not cross the whole picture."""
    assert columns("abcs", [("a", "b"), ("b", "c"), ("s", "c")]) == [["a"], ["b", "s"], ["c"]]


def test_a_line_that_passes_a_column_goes_beside_its_boxes():
    layout = arrange("abc", [("a", "b"), ("b", "c"), ("a", "c")])

    passing = layout.lines[2]
    x, y = layout.places["b"]
    assert [point for point in passing if x <= point[0] <= x + WIDTH and y <= point[1] <= y + HEIGHT] == []
    assert len(passing) == 4


def test_a_long_chain_and_a_cycle_are_arranged():
    keys = [str(number) for number in range(2_000)]

    assert len(columns(keys, [*itertools.pairwise(keys)])) == 2_000
    assert len(arrange("ab", [("a", "b"), ("b", "a")]).places) == 2
    assert arrange([], []).places == {}


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 12)), max_size=40))
def test_no_two_boxes_overlap_and_edges_go_right(pairs):
    """Of any graph without cycles."""
    keys = [str(number) for number in range(13)]
    edges = [(str(one), str(two)) for one, two in pairs if one < two]

    places = arrange(keys, edges).places

    assert all(places[end][0] - places[start][0] >= WIDTH for start, end in edges)
    corners = sorted(places.values())
    assert all(x1 != x2 or y2 - y1 >= HEIGHT for (x1, y1), (x2, y2) in itertools.pairwise(corners))
