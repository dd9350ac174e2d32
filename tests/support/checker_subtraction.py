"""Recompute whether the sums of two tables together tell of a few people: by maximum flows, between all pairs of groups."""

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pandas as pd
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components, maximum_flow

from support.checker_facts import Facts, as_text

Table = tuple[str, ...]


def tell_of_few(facts: Facts, one: Table, other: Table, measured: pd.Series) -> bool:
    """True if fewer people than may be named are all that part some groups of the two tables from the others.

    Everybody is counted, then those with a measure. Single groups of both tables are known where the table of both is published.
    """
    first, second = (_groups(facts.people, columns) for columns in (one, other))
    pairs = [(first, second.map(_everybody)), (second, first.map(_everybody))]
    if len(one) == len(other) == 1 and {(*one, *other), (*other, *one)} & {*facts.survey.tables()}:
        pairs.append((first, second))
    for a, b in pairs:
        for part in (slice(None), measured):
            edges = Counter(zip(a[part], b[part], strict=True))
            if any(0 < cut < facts.survey.smallest for cut in _cuts(edges)):
                return True
    return False


def _groups(people: pd.DataFrame, columns: Table) -> pd.Series:
    """Return each person's group; "" for those who left a column blank."""
    rows = [
        "" if any(v is None or v != v for v in row) else (*columns, *map(as_text, row))
        for row in people[list(columns)].itertuples(index=False)
    ]
    return pd.Series(rows, index=people.index, dtype=object)


def _everybody(group: object) -> str:
    return "everybody" if group else ""


def _cuts(edges: Counter[tuple[object, object]]) -> Iterator[int]:
    """Yield the people of the smallest cut between the first node and each other one of its component."""
    places = {node: at for at, node in enumerate(dict.fromkeys(node for pair in edges for node in pair))}
    people = np.zeros((len(places), len(places)), dtype=np.int32)
    for (a, b), n in edges.items():
        if a != b:
            people[places[a], places[b]] += n
            people[places[b], places[a]] += n
    graph = csr_array(people)
    number, parts = connected_components(graph, directed=False)
    for part in range(number):
        source, *others = np.flatnonzero(parts == part)
        for sink in others:
            yield int(maximum_flow(graph, source, sink).flow_value)
