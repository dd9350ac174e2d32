"""From people to groups: all counts and statistics of people, from one reading of them. DataFrame to DataFrame."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TypeAlias

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from surveylake.aggregate.disclosure import Mask
from surveylake.contract.model import Contract

MEASURES = ("mean", "median", "sd", "min", "max")
"""The statistics of a measure, in this order; `sd` is the sample standard deviation (n - 1)."""
COUNT, MEASURE, MEASURED = "people", "~measure", "~measured"
PLACES = ("~list", "~first", "~second")
"""Columns of a frame with the groups of several lists: the list's index, and its values; a list has two columns at most."""
PROTECTED = "~protected"
LEFT, EVERYBODY = "~left", "-"
"""A column of the lists that people left blank, in whole or in part: their places, with EVERYBODY first."""
SEPARATOR = "\x01"
By: TypeAlias = tuple[str, ...]
GroupCounts: TypeAlias = dict[tuple[str | None, ...], int]
"""Group -> people; None stands for no answer."""


def groupings(contract: Contract) -> list[By]:
    """Return every list of columns whose groups are counted; () is everybody."""
    lists: list[By] = [(), *published(contract)]
    # A spelling that the map does not know is a group too, where its column is counted anyway.
    counted = set(chain.from_iterable(lists))
    lists += [(name,) for name, field in contract.fields.items() if field.spellings and name in counted]
    # Whether a column has people who are not shown decides what a table of two columns may show.
    lists += [(column,) for by in lists if len(by) == 2 for column in by]
    return list(dict.fromkeys(lists))


def published(contract: Contract) -> list[By]:
    """Return the lists whose groups are published: in the summaries, as received, and for the hypothesis."""
    summaries, claim = contract.summaries, contract.hypothesis
    lists = [tuple(by) for by in summaries.by]
    lists += [(summaries.received_by,)] if summaries.received_by else []
    lists += [(claim.field,), *((claim.field, outcome) for outcome in claim.outcomes)] if claim else []
    return list(dict.fromkeys(lists))


def measured(contract: Contract) -> list[By]:
    """Return the lists of which statistics of the measure are published, in the contract's order."""
    return list(dict.fromkeys(map(tuple, contract.summaries.by))) if contract.summaries.measure else []


def cells(responses: DataFrame, contract: Contract) -> DataFrame:
    """Grain: one row per combination of the columns in `groupings` and the measure, with `people`. NULL is no answer."""
    measure = contract.summaries.measure
    columns = sorted(set(chain.from_iterable(groupings(contract))))
    keys = [F.col(column).cast("string").alias(column) for column in columns]
    if measure:
        keys.append(F.col(measure).alias(MEASURE))
    return responses.groupBy(*keys).agg(F.count("*").alias(COUNT))


def as_text(responses: DataFrame, contract: Contract) -> DataFrame:
    """Grain: one row per person, with MEASURE, the record's offset, and each published column as text."""
    texts = [
        F.col(column).cast("string").alias(column)
        for column in sorted(set(chain.from_iterable(published(contract))))
    ]
    measure = contract.summaries.measure
    where = [F.col(column) for column in ("epoch", "partition", "offset")]
    return responses.select(*texts, *([F.col(measure).alias(MEASURE)] if measure else []), *where)


@dataclass(frozen=True)
class Counted:
    """The people of each group of each list, unmerged, and those of them who have a measure."""

    people: dict[By, GroupCounts]
    measured: dict[By, GroupCounts]
    without: dict[By, "Counted"] = field(default_factory=dict)
    """list -> the same of those who left one of its columns blank; a group of no such people is not in it"""


def counts(cell_rows: DataFrame, lists: Sequence[By], others: Sequence[By] = ()) -> Counted:
    """Count the people of each group of each list, and those of them who left one of `others` blank, in one query."""
    everybody, without = _nothing(lists), {by: _nothing(lists) for by in others}
    for row in _counts(cell_rows, lists, others).collect():
        by = lists[row[PLACES[0]]]
        group = tuple(row[place] for place in PLACES[1 : len(by) + 1])
        part = everybody if row[LEFT] == EVERYBODY else without[others[int(row[LEFT])]]
        part.people[by][group], part.measured[by][group] = row[COUNT], row[MEASURED]
    return Counted(everybody.people, everybody.measured, without)


def _nothing(lists: Sequence[By]) -> Counted:
    return Counted({by: {} for by in lists}, {by: {} for by in lists})


def _counts(cell_rows: DataFrame, lists: Sequence[By], others: Sequence[By]) -> DataFrame:
    """Grain: one row per group of each of `lists` and LEFT, EVERYBODY or the place of a list that people left: PLACES, LEFT,
    COUNT, MEASURED.
    """
    names = [[F.col(column) for column in by] for by in lists]
    left = [F.when(~_answered(by), F.lit(str(place))) for place, by in enumerate(others)]
    marked = cell_rows.withColumn(LEFT, F.concat_ws(" ", F.lit(EVERYBODY), *left))
    sums = [F.sum(COUNT).alias(COUNT), _measured(cell_rows).alias(MEASURED)]
    counted = _each(marked, names).groupBy(*PLACES, LEFT).agg(*sums)
    if not others:
        return counted
    # Added up first: people leave the same few lists. A sum for each list would be too much code for one method of Java.
    apart = counted.withColumn(LEFT, F.explode(F.split(LEFT, " ")))
    return apart.groupBy(*PLACES, LEFT).agg(F.sum(COUNT).alias(COUNT), F.sum(MEASURED).alias(MEASURED))


def _measured(cell_rows: DataFrame) -> Column:
    if MEASURE not in cell_rows.columns:
        return F.lit(0)
    return F.expr(f"sum(CASE WHEN `{MEASURE}` IS NOT NULL THEN {COUNT} ELSE 0 END)")


def statistics(
    cell_rows: DataFrame, masks: Mapping[By, Mask], lists: Sequence[By], measure: str
) -> DataFrame:
    """Grain: one row per published line of each of `lists`: PLACES, MEASURED (people with a measure), the measure's statistics.

    People who left a column of a list blank are in none of its lines. A smallest or largest value is NULL where only people
    have it who are protected in some table of `masks`. One query for all lists.
    """
    names = []
    for by in lists:
        labels = _labels(by, masks[by])
        answered = _answered(by)
        names.append([F.when(answered, label) for label in labels])
    marked = cell_rows.withColumn(PROTECTED, protected(masks))
    answering = _each(marked, names).where(f"`{PLACES[1]}` IS NOT NULL")
    # Added up first: a percentile keeps a map for each group, which costs more per row than a sum.
    together = answering.groupBy(*PLACES, MEASURE, PROTECTED).agg(F.sum(COUNT).alias(COUNT))
    return together.groupBy(*PLACES).agg(_measured(cell_rows).alias(MEASURED), *_statistics(measure))


def protected(masks: Mapping[By, Mask]) -> Column:
    """Return a column: true for people in a group or a cell that is too small to be named in some table.

    Of two columns, those who answered only one are in a cell too.
    """
    condition = F.lit(False)
    for by, mask in masks.items():
        unnamed = F.lit(False)
        for column, named in zip(by, mask.named, strict=False):
            unnamed = unnamed | ~F.col(column).isin(*sorted(named)) if named else F.lit(True)
        condition = condition | (_answered(by) & (unnamed | _is_small(by, mask)))
        if mask.few_blank and len(by) == 1:
            condition = condition | F.col(by[0]).isNull()
        for column, other, place in zip(by, by[::-1], (0, 1), strict=False):
            if few := sorted(value for group in mask.few_partly if (value := group[place]) is not None):
                condition = condition | (
                    _answered((column,)) & F.col(column).isin(*few) & F.col(other).isNull()
                )
    return condition


def _answered(by: By) -> Column:
    answered = F.lit(True)
    for column in by:
        answered = answered & F.col(column).isNotNull()
    return answered


def _labels(by: By, mask: Mask) -> list[Column]:
    """Return each column with the labels of the published table; `Mask.label` for whole frames."""
    pool = F.lit(mask.pool)
    named = [
        F.when(F.col(column).isin(*sorted(values)), F.col(column)).otherwise(pool) if values else pool
        for column, values in zip(by, mask.named or (frozenset(),) * len(by), strict=True)
    ]
    if not mask.held:
        return named
    held = F.concat_ws(SEPARATOR, *named).isin(*(SEPARATOR.join(cell) for cell in sorted(mask.held)))
    return [F.when(held, F.lit(mask.hold)).otherwise(column) for column in named]


def _is_small(by: By, mask: Mask) -> Column:
    """Return a column: true for the small cells of two named values."""
    cells = [
        cell
        for cell in sorted(mask.small)
        if all(value in named for value, named in zip(cell, mask.named, strict=True))
    ]
    if not cells:
        return F.lit(False)
    return F.concat_ws(SEPARATOR, *map(F.col, by)).isin(*map(SEPARATOR.join, cells))


def _each(cell_rows: DataFrame, names: Sequence[Sequence[Column]]) -> DataFrame:
    """Return each cell once per list, with PLACES before its counts."""
    none = [F.lit(None).cast("string")] * 2
    lists = []
    for index, group in enumerate(names):
        columns = [F.lit(index), *[*group, *none][:2]]
        lists.append(F.struct(*(column.alias(place) for column, place in zip(columns, PLACES, strict=True))))
    rest = [column for column in (MEASURE, PROTECTED, LEFT, COUNT) if column in cell_rows.columns]
    return cell_rows.select(F.inline(F.array(*lists)), *(f"`{column}`" for column in rest))


def _statistics(measure: str) -> list[Column]:
    """Return, weighted by people: mean, median (interpolated), sample standard deviation, smallest and largest."""
    x, n = f"CAST(`{MEASURE}` AS double)", f"CASE WHEN `{MEASURE}` IS NOT NULL THEN {COUNT} ELSE 0 END"
    mean = f"(sum({x} * {n}) / nullif(sum({n}), 0))"
    # Sum of squares about the mean; Spark folds the shared sums.
    squares = f"greatest(sum({x} * {x} * {n}) - sum({n}) * {mean} * {mean}, 0)"
    expressions = {
        "mean": mean,
        "median": f"percentile({x}, 0.5, {n})",
        "sd": f"IF(sum({n}) > 1, sqrt({squares} / (sum({n}) - 1)), NULL)",
        "min": _extreme("min"),
        "max": _extreme("max"),
    }
    return [F.expr(expressions[name]).alias(f"{measure}_{name}") for name in MEASURES]


def _extreme(function: str) -> str:
    """Return SQL of the smallest or largest measure; NULL where only protected people have it."""
    open_to_all = f"{function}(CASE WHEN NOT `{PROTECTED}` THEN `{MEASURE}` END)"
    return f"nullif({open_to_all}, CASE WHEN {function}(`{MEASURE}`) <> {open_to_all} THEN {open_to_all} END)"
