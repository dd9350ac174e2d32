"""From records to people, and what is counted of records and people one by one. DataFrame to DataFrame."""

from collections.abc import Iterable

from pyspark.sql import Column, DataFrame, Row
from pyspark.sql import functions as F

from surveylake import sql
from surveylake.contract import Contract
from surveylake.findings import Cell
from surveylake.groups import UNKNOWN

MOST_SPELLINGS = 1000
"""of a field that are named; a free text has as many as people"""
WHERE_FROM = ("epoch", "partition", "offset", "timestamp")
HASH = "~hash"
LATER = ("epoch", "offset", "partition")
"""What makes a record of a participant the later one, the first that differs. Kafka keeps the order of one key within a
partition by offset, whatever clocks say; the partition breaks ties."""


def latest(records: DataFrame, contract: Contract) -> DataFrame:
    """Grain: one row per participant, the accepted record that is LATER; contract columns, then WHERE_FROM."""
    return latest_of(records.where("accepted"), contract)


def latest_of(answers: DataFrame, contract: Contract) -> DataFrame:
    """The same of rows that are all accepted, such as those of `responses`."""
    names = [*contract.columns, *WHERE_FROM]
    order = ", ".join(sql.name(name) for name in (*LATER, *(n for n in names if n not in LATER)))
    newest = answers.groupBy(contract.key).agg(F.expr(f"max(struct({order}))").alias("~newest"))
    return newest.selectExpr(*(f"`~newest`.{sql.name(name)}" for name in names))


def of_others(old: DataFrame, new: DataFrame, contract: Contract) -> bool:
    """Whether nobody of `new`, which is small, is among the participants of `old`. By hashes: it may say no by chance."""
    hashes = F.broadcast(new.select(_hash(contract)))
    return old.select(_hash(contract)).join(hashes, HASH, "left_semi").isEmpty()


def renewed(old: DataFrame, new: DataFrame, contract: Contract) -> DataFrame:
    """The rows of `old`, one per participant, with those of `new` that are LATER in their place and those of others added.

    `new` has one row per participant too, and is small: whose hash is not among theirs is passed on as it is, unsorted.
    """
    hashes = F.broadcast(new.select(_hash(contract)))
    hashed = old.withColumn(HASH, _hash(contract))
    again = hashed.join(hashes, HASH, "left_semi").drop(HASH).unionByName(new)
    return hashed.join(hashes, HASH, "left_anti").drop(HASH).unionByName(latest_of(again, contract))


def answered_twice(records: DataFrame, contract: Contract, parts: int) -> DataFrame:
    """Grain: one row per hash of a key that more than one accepted record has: `~hash`. Some share a hash by chance."""
    hashes = records.where("accepted").select(_hash(contract))
    # Shuffled first: adding up before a shuffle saves nothing where nearly every key is different.
    return hashes.repartition(parts, HASH).groupBy(HASH).count().where("count > 1").select(HASH)


def latest_but_for(records: DataFrame, contract: Contract, twice: DataFrame) -> DataFrame:
    """The rows of `latest`, where `twice` (see `answered_twice`) are few: the others are passed on as they are, unsorted."""
    hashed = records.where("accepted").withColumn(HASH, _hash(contract))
    once = hashed.join(F.broadcast(twice), HASH, "left_anti").select(*contract.columns, *WHERE_FROM)
    return once.unionByName(latest(hashed.join(F.broadcast(twice), HASH, "left_semi"), contract))


def _hash(contract: Contract) -> Column:
    return F.xxhash64(contract.key).alias(HASH)


def digest(frame: DataFrame, key: str) -> tuple[int, int, str]:
    """Rows, different keys, and a digest of the content that does not depend on the order."""
    hashed = F.xxhash64(*(F.col(sql.name(column)) for column in sorted(frame.columns))).cast("decimal(38,0)")
    found = frame.agg(
        F.count("*").alias("rows"), F.countDistinct(key).alias("keys"), F.sum(hashed).alias("content")
    ).first()
    return (found["rows"], found["keys"], str(found["content"])) if found else (0, 0, "")


def verdicts(records: DataFrame) -> DataFrame:
    """Grain: one row per partition and list of failed rules: topic, epoch, partition, failed_rules, first, last, records."""
    return records.groupBy("topic", "epoch", "partition", "failed_rules").agg(
        F.min("offset").alias("first"), F.max("offset").alias("last"), F.count("*").alias("records")
    )


def received(records: DataFrame, contract: Contract, by: str, smallest: int) -> DataFrame:
    """Grain: one row per group as received, before any rule: the group, received (with a readable measure), accepted.

    The original's own table: it counted the rows whose Age is a number, by Gender. Groups under `smallest` records are one
    row without a name: such a group is a slip of the pen or a text nobody foresaw, and no reader's business. `groups` says
    how many a row holds.
    """
    measure = contract.summaries.measure
    counted = F.count(measure) if measure else F.count("*")
    group = F.coalesce(F.col(by).cast("string"), F.lit(UNKNOWN)).alias(by)
    found = records.groupBy(group).agg(
        counted.alias("received"), F.count_if(F.col("accepted")).alias("accepted")
    )
    shown = F.when(F.col("received") >= smallest, F.col(by)).alias(by)
    sums = [F.sum(column).alias(column) for column in ("received", "accepted")]
    return found.where("received > 0 OR accepted > 0").groupBy(shown).agg(*sums, F.count("*").alias("groups"))


def unmapped(responses: DataFrame, column: str, known: Iterable[str]) -> list[str]:
    """The spellings of a field that its declared map does not know, sorted; the first MOST_SPELLINGS."""
    rows = (
        responses.where(~F.col(column).isin(*known))
        .select(column)
        .distinct()
        .orderBy(column)
        .limit(MOST_SPELLINGS)
        .collect()
    )
    return [row[column] for row in rows]


def points(
    responses: DataFrame, measure: str, group: str, most: int, seed: int = 20
) -> tuple[tuple[float, str], ...]:
    """(measure, group) of each response that has both, or of `most` of them drawn by a seeded hash of their offsets."""
    both = responses.where(F.col(measure).isNotNull() & F.col(group).isNotNull())
    drawn = both.orderBy(F.xxhash64(F.lit(seed), "epoch", "partition", "offset")).limit(most)
    rows = drawn.select(
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
