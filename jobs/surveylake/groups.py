"""From people to groups: all counts and summaries of people from one reading of them. DataFrame to DataFrame."""

from collections.abc import Sequence
from itertools import chain
from typing import TypeAlias

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from surveylake.contract import Contract
from surveylake.disclosure import Group

MEASURES = ("mean", "median", "sd", "min", "max")
"""The statistics of a measure, in this order; `sd` is the sample standard deviation (n - 1)."""
COUNT, MEASURE = "people", "~measure"
PLOTTED = "~plotted"
"""A grouping of its own: whether a person has both the measure and the charts' group."""
UNKNOWN = "(none)"
"""The group of those who have no value."""
PLACES = ("~list", "~first", "~second")
"""In a frame of several lists' groups: the list's place, and what its columns say; a list has two columns at most."""
By: TypeAlias = tuple[str, ...]
Found: TypeAlias = dict[tuple[str | None, ...], int]
"""Group -> people; None is no value."""


def groupings(contract: Contract) -> list[By]:
    """Every list of columns whose groups are counted; () is everybody."""
    summaries, charts, claim = contract.summaries, contract.charts, contract.hypothesis
    lists: list[By] = [(), *(tuple(by) for by in summaries.by)]
    lists += [(summaries.received_by,)] if summaries.received_by else []
    lists += [(claim.field,), *((claim.field, outcome) for outcome in claim.outcomes)] if claim else []
    # A spelling that the map does not know is a group too, where its column is counted anyway.
    counted = set(chain.from_iterable(lists))
    lists += [(name,) for name, field in contract.fields.items() if field.spellings and name in counted]
    lists += [(PLOTTED,)] if charts and summaries.measure else []
    return list(dict.fromkeys(lists))


def cells(responses: DataFrame, contract: Contract) -> DataFrame:
    """Grain: one row per combination of the columns in `groupings` and the measure, with `people`. NULL is no value."""
    charts, measure = contract.charts, contract.summaries.measure
    columns = sorted(set(chain.from_iterable(groupings(contract))) - {PLOTTED})
    keys = [F.col(column).cast("string").alias(column) for column in columns]
    if measure:
        keys.append(F.col(measure).alias(MEASURE))
    if measure and charts:
        both = F.col(measure).isNotNull() & F.col(charts.group).isNotNull()
        keys.append(both.cast("string").alias(PLOTTED))
    return responses.groupBy(*keys).agg(F.count("*").alias(COUNT))


def counts(cell_rows: DataFrame, lists: Sequence[By]) -> dict[By, Found]:
    """For each list of columns: group -> people, unmerged. One query for all lists."""
    names = [[F.col(column) for column in by] for by in lists]
    counted: dict[By, Found] = {by: {} for by in lists}
    for row in _each(cell_rows, names).groupBy(*PLACES).agg(F.sum(COUNT).alias(COUNT)).collect():
        by = lists[row[PLACES[0]]]
        counted[by][tuple(row[place] for place in PLACES[1 : len(by) + 1])] = row[COUNT]
    return counted


def named(found: Found) -> dict[Group, int]:
    """The same with UNKNOWN for no value; who answered just that is counted with those."""
    people: dict[Group, int] = {}
    for group, count in found.items():
        name = tuple(UNKNOWN if value is None else value for value in group)
        people[name] = people.get(name, 0) + count
    return people


def summaries(
    cell_rows: DataFrame, hidden: dict[By, set[Group]], total: int, measure: str | None
) -> DataFrame:
    """Grain: one row per published group of each list in `hidden`: PLACES, answers, share of `total`, measure's statistics.

    The groups that are hidden of a list are one row, `merged`. One query for all lists.
    """
    names = []
    for by, groups in hidden.items():
        columns = [F.coalesce(F.col(column), F.lit(UNKNOWN)) for column in by]
        is_hidden = _is_one_of(columns, groups)
        names.append([F.when(is_hidden, F.lit(merged(len(groups)))).otherwise(column) for column in columns])
    found = [F.sum(COUNT).alias("answers"), (F.sum(COUNT) / F.lit(total)).alias("share")]
    found += _statistics(measure) if measure else []
    return _each(cell_rows, names).groupBy(*PLACES).agg(*found)


def merged(groups: int) -> str:
    """What the row is called that holds so many small groups."""
    return f"Other ({groups} groups)"


def _each(cell_rows: DataFrame, names: Sequence[Sequence[Column]]) -> DataFrame:
    """Each cell once per list, PLACES before what is counted of it."""
    none = [F.lit(None).cast("string")] * 2
    lists = []
    for at, group in enumerate(names):
        columns = [F.lit(at), *[*group, *none][:2]]
        lists.append(F.struct(*(column.alias(place) for column, place in zip(columns, PLACES, strict=True))))
    rest = [column for column in (MEASURE, COUNT) if column in cell_rows.columns]
    return cell_rows.select(F.inline(F.array(*lists)), *(f"`{column}`" for column in rest))


def _statistics(measure: str) -> list[Column]:
    """Weighted by people: mean, median (interpolated), sample standard deviation, smallest and largest."""
    x, n = f"CAST(`{MEASURE}` AS double)", f"CASE WHEN `{MEASURE}` IS NOT NULL THEN {COUNT} ELSE 0 END"
    mean = f"(sum({x} * {n}) / nullif(sum({n}), 0))"
    # Sum of squares about the mean; Spark folds the shared sums.
    squares = f"greatest(sum({x} * {x} * {n}) - sum({n}) * {mean} * {mean}, 0)"
    expressions = {
        "mean": mean,
        "median": f"percentile({x}, 0.5, {n})",
        "sd": f"IF(sum({n}) > 1, sqrt({squares} / (sum({n}) - 1)), NULL)",
        "min": f"min(`{MEASURE}`)",
        "max": f"max(`{MEASURE}`)",
    }
    return [F.expr(expressions[name]).alias(f"{measure}_{name}") for name in MEASURES]


def _is_one_of(columns: Sequence[Column], groups: set[Group]) -> Column:
    if not groups:
        return F.lit(False)
    return F.concat_ws("\x01", *columns).isin(*("\x01".join(group) for group in sorted(groups)))
