"""From accepted records to people, and from people to groups. DataFrame to DataFrame; small groups never leave alone."""

from collections.abc import Iterable, Sequence
from itertools import chain

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from surveylake import sql
from surveylake.contract import Contract
from surveylake.disclosure import Group
from surveylake.disclosure import small_groups as small_groups
from surveylake.findings import Cell

MEASURES = ("mean", "median", "sd", "min", "max")
"""The statistics of a measure, in this order; `sd` is the sample standard deviation (n - 1)."""
COUNT = "people"


def latest(records: DataFrame, contract: Contract) -> DataFrame:
    """Grain: one row per participant, the accepted record with the highest epoch and offset; contract columns, then where from.

    Kafka keeps the order of one key within a partition by offset, whatever clocks say; the partition breaks ties.
    """
    names = [*contract.columns, "epoch", "partition", "offset", "timestamp"]
    order = ", ".join(
        [
            "epoch",
            "offset",
            "partition",
            *(sql.name(n) for n in names if n not in ("epoch", "partition", "offset")),
        ]
    )
    newest = (
        records.where("accepted").groupBy(contract.key).agg(F.expr(f"max(struct({order}))").alias("~newest"))
    )
    return newest.selectExpr(*(f"`~newest`.{sql.name(name)}" for name in names))


def cells(responses: DataFrame, contract: Contract) -> DataFrame:
    """Grain: one row per combination of the summaries' columns and the measure, with `people`: all summaries come from it."""
    columns = sorted(set(chain.from_iterable(contract.summaries.by)) | set(_used(contract)))
    labelled = [F.coalesce(F.col(column).cast("string"), F.lit("(none)")).alias(column) for column in columns]
    measure = contract.summaries.measure
    extra = [F.col(measure).alias("~measure")] if measure else []
    return (
        responses.select(*labelled, *extra)
        .groupBy(*columns, *(["~measure"] if measure else []))
        .agg(F.count("*").alias(COUNT))
    )


def counts(cell_rows: DataFrame, by: Sequence[str]) -> dict[Group, int]:
    """Group -> people, unmerged."""
    return {
        tuple(row[c] for c in by): row[COUNT]
        for row in cell_rows.groupBy(*by).agg(F.sum(COUNT).alias(COUNT)).collect()
    }


def summary(
    cell_rows: DataFrame, by: Sequence[str], hidden: set[Group], total: int, measure: str | None
) -> DataFrame:
    """Grain: one row per published group of `by`; columns: by…, answers, share, and the measure's statistics.

    The groups in `hidden` are one row 'Other (n groups)'. Ordered by the groups' names, that row last.
    """
    other = f"Other ({len(hidden)} groups)"
    is_hidden = _is_one_of(by, hidden)
    label = [F.when(is_hidden, F.lit(other)).otherwise(F.col(c)).alias(c) for c in by]
    rest = ["~measure", COUNT] if measure else [COUNT]
    groups = cell_rows.select(*label, *rest).groupBy(*by)
    found = [F.sum(COUNT).alias("answers"), (F.sum(COUNT) / F.lit(total)).alias("share")]
    found += _statistics(measure) if measure else []
    last = F.col(by[0]) == other
    return groups.agg(*found).orderBy(last, *by)


def _statistics(measure: str) -> list[Column]:
    """Weighted by people: mean, median (interpolated), sample standard deviation, smallest and largest."""
    x, n = "CAST(`~measure` AS double)", f"CASE WHEN `~measure` IS NOT NULL THEN {COUNT} ELSE 0 END"
    mean = f"(sum({x} * {n}) / nullif(sum({n}), 0))"
    # Sum of squares about the mean; Spark folds the shared sums.
    squares = f"greatest(sum({x} * {x} * {n}) - sum({n}) * {mean} * {mean}, 0)"
    expressions = {
        "mean": mean,
        "median": f"percentile({x}, 0.5, {n})",
        "sd": f"IF(sum({n}) > 1, sqrt({squares} / (sum({n}) - 1)), NULL)",
        "min": "min(`~measure`)",
        "max": "max(`~measure`)",
    }
    return [F.expr(expressions[name]).alias(f"{measure}_{name}") for name in MEASURES]


def received(records: DataFrame, contract: Contract, by: str) -> DataFrame:
    """Grain: one row per group as received, before any rule: the group, received (with a readable measure), accepted.

    The original's own table: it counted the rows whose Age is a number, by Gender.
    """
    measure = contract.summaries.measure
    counted = F.count(measure) if measure else F.count("*")
    group = F.coalesce(F.col(by).cast("string"), F.lit("(none)")).alias(by)
    found = records.groupBy(group).agg(
        counted.alias("received"), F.count_if(F.col("accepted")).alias("accepted")
    )
    return found.where("received > 0 OR accepted > 0").orderBy(by)


def without_small(quant: DataFrame, by: str, smallest: int) -> DataFrame:
    """`received` with its groups under `smallest` records in one row, 'Other (n groups)', last.

    Such a group is a slip of the pen or a text nobody foresaw, and no reader's business.
    """
    small = F.col("received") < smallest
    many = quant.where(small).count()
    if not many:
        return quant
    label = F.when(small, F.lit(f"Other ({many} groups)")).otherwise(F.col(by)).alias(by)
    numbers = [column for column in quant.columns if column != by]
    sums = [F.sum(column).alias(column) for column in numbers]
    return quant.select(label, *numbers).groupBy(by).agg(*sums).orderBy(F.col(by).startswith("Other ("), by)


def unmapped(responses: DataFrame, column: str, known: Iterable[str]) -> list[str]:
    """The spellings of a field that its declared map does not know, sorted; at most 1000."""
    rows = (
        responses.where(~F.col(column).isin(*known))
        .select(column)
        .distinct()
        .orderBy(column)
        .limit(1000)
        .collect()
    )
    return [row[column] for row in rows]


def points(
    responses: DataFrame, measure: str, group: str, most: int, total: int, seed: int = 20
) -> tuple[tuple[float, str], ...]:
    """(measure, group) of each response that has both, or of `most` of them drawn by a seeded hash of their offsets."""
    both = responses.where(F.col(measure).isNotNull() & F.col(group).isNotNull())
    if total > most:
        both = both.orderBy(F.xxhash64(F.lit(seed), "epoch", "partition", "offset")).limit(most)
    rows = both.select(
        F.col(measure).cast("double").alias("x"),
        F.col(group).cast("string").alias("g"),
        "epoch",
        "partition",
        "offset",
    )
    found = sorted(rows.collect(), key=lambda r: (r["epoch"], r["partition"], r["offset"]))
    return tuple((row["x"], row["g"]) for row in found)


def plain_rows(rows: Iterable[Row]) -> tuple[dict[str, Cell], ...]:
    """A published table's rows as plain values: a decimal becomes a float."""
    return tuple({name: _plain(value) for name, value in row.asDict().items()} for row in rows)


def _plain(value: object) -> Cell:
    return value if value is None or isinstance(value, str | int | float) else float(str(value))


def _used(contract: Contract) -> Iterable[str]:
    """Columns the charts and the hypothesis need besides the summaries."""
    chart = contract.charts
    if chart:
        yield from (column for column in (chart.group, chart.bands, chart.stack) if column)
    if contract.hypothesis:
        yield contract.hypothesis.field
        yield from contract.hypothesis.outcomes


def _is_one_of(by: Sequence[str], groups: set[Group]) -> Column:
    if not groups:
        return F.lit(False)
    keys = F.concat_ws("\x01", *by)
    return keys.isin(*("\x01".join(group) for group in sorted(groups)))
