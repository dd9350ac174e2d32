"""What follows from the sums of two tables together: their difference may be a sum over a few people. Pure counting.

A reader can add up the groups of a table, whole or in part, and subtract groups of another one. Take the groups of both tables
as the nodes of a graph, with one more node for those who left a column blank, and each person as an edge between their group in
one table and in the other. To add up some groups and subtract some is to cut the graph in two. Who is on both sides of the
difference cancels out; it is about the people whose edges are cut. So nothing follows about a few people where no cut is of a
few edges.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from heapq import heappop, heappush

from surveylake.aggregate import disclosure
from surveylake.aggregate.disclosure import Mask
from surveylake.aggregate.groups import By, Counted, GroupCounts

Node = tuple[str | int, ...]
Edge = tuple[Node, Node, int]
"""two groups, and the people who are in both"""
BLANK: Node = ()
"""those who are in no group of a table, which says no sum of them"""
OTHER: Node = (2,)
"""everybody in the other table"""


def lists_with_sums(lists: Sequence[By], counted: Counted, masks: Mapping[By, Mask]) -> list[By]:
    """Return the lists whose tables may say sums of the measure: each hides nobody, and no two together tell of a few people.

    Of two tables that would, the first in the contract's order says its sums.
    """
    said: list[By] = []
    for by in lists:
        if _hides_nobody(by, counted, masks) and not any(
            tell_of_few(by, other, counted, masks[by].smallest) for other in said
        ):
            said.append(by)
    return said


def _hides_nobody(by: By, counted: Counted, masks: Mapping[By, Mask]) -> bool:
    """True if a table hides nobody, and neither does the table of each of its columns."""
    lists = [by] if len(by) == 1 else [by, *((column,) for column in by)]
    return all(
        disclosure.hides_nobody(
            counted.people[part],
            counted.measured[part],
            masks[by]
            if part == by
            else disclosure.mask(disclosure.answered(counted.people[part]), masks[by].smallest),
        )
        for part in lists
    )


def tell_of_few(one: By, other: By, counted: Counted, smallest: int) -> bool:
    """True if sums over fewer than `smallest` people follow from the sums of two tables.

    Each group of one table is compared with everybody in the other; each group with each where their pairs are counted, as
    those of published tables are. How many have a measure is said too, and is a sum: so people count, and those with a measure.
    """
    return any(has_small_cut(edges, smallest) for edges in _graphs(one, other, counted))


def _graphs(one: By, other: By, counted: Counted) -> Iterator[list[Edge]]:
    for by, beside in ((one, other), (other, one)):
        without = counted.without[beside]
        yield _with_everybody(counted.people[by], without.people[by])
        yield _with_everybody(counted.measured[by], without.measured[by])
    pair = (*one, *other)
    for by in (pair, pair[::-1]):
        if len(pair) == 2 and by in counted.people:
            yield _with_each(counted.people[by])
            yield _with_each(counted.measured[by])


def _with_everybody(people: GroupCounts, without: GroupCounts) -> list[Edge]:
    """Return the edges between the groups of one table and everybody in another; `without` has those who are not in that."""
    edges: list[Edge] = []
    for group, count in people.items():
        node: Node = BLANK if None in group else (0, *map(str, group))
        outside = without.get(group, 0)
        edges += [(node, OTHER, count - outside), (node, BLANK, outside)]
    return edges


def _with_each(pairs: GroupCounts) -> list[Edge]:
    """Return the edges between the groups of two tables of one column each."""
    return [
        (BLANK if first is None else (0, first), BLANK if second is None else (1, second), count)
        for (first, second), count in pairs.items()
    ]


def has_small_cut(edges: Iterable[Edge], smallest: int) -> bool:
    """True if the nodes can be put on two sides so that 1 to `smallest` - 1 people are between them.

    Nodes that `smallest` people or more bind together are on one side, and become one, until a node is bound by fewer.
    """
    graph = _graph(edges, {})
    while graph:
        if any(sum(ends.values()) < smallest for ends in graph.values()):
            return True
        joined = _bound_together(graph, smallest)
        graph = _graph(((a, b, n) for a in graph for b, n in graph[a].items() if a < b), joined)
    return False


def _bound_together(graph: Mapping[Node, Mapping[Node, int]], smallest: int) -> dict[Node, Node]:
    """Return node -> another one from which no cut of fewer than `smallest` people parts it; some in each graph.

    Nodes are visited by how many people bind them to those visited before. When these are `smallest` or more, a node is bound to
    the one visited last (Nagamochi and Ibaraki, SIAM J. Discrete Mathematics 5, 1992).
    """
    joined: dict[Node, Node] = {}
    bound, waiting = dict.fromkeys(graph, 0), [(0, node) for node in sorted(graph)]
    while waiting:
        minus, node = heappop(waiting)
        if bound.get(node) != -minus:
            continue
        del bound[node]
        for other, people in graph[node].items():
            if other not in bound:
                continue
            bound[other] += people
            heappush(waiting, (-bound[other], other))
            a, b = _root(other, joined), _root(node, joined)
            if bound[other] >= smallest and a != b:
                joined[a] = b
    return joined


def _graph(edges: Iterable[Edge], joined: Mapping[Node, Node]) -> dict[Node, dict[Node, int]]:
    """Return node -> neighbour -> people, of the nodes that have a neighbour; those that are joined are one."""
    graph: dict[Node, dict[Node, int]] = {}
    for first, second, people in edges:
        a, b = _root(first, joined), _root(second, joined)
        if people and a != b:
            for node, other in ((a, b), (b, a)):
                ends = graph.setdefault(node, {})
                ends[other] = ends.get(other, 0) + people
    return graph


def _root(node: Node, joined: Mapping[Node, Node]) -> Node:
    while node in joined:
        node = joined[node]
    return node
