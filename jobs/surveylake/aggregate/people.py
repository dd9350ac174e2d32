"""From records to people: each participant's latest answer, and counts of records and people. DataFrame to DataFrame."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql import types as T

from surveylake import sql
from surveylake.aggregate.findings import Point
from surveylake.aggregate.groups import MEASURE
from surveylake.contract.field_types import BLANKED
from surveylake.contract.model import Contract

MOST_SPELLINGS = 1000
"""values of a field that are counted; a free text has as many as people"""
WHERE_FROM = ("epoch", "partition", "offset", "timestamp")
HASH, FILE, IS_LATER = "~hash", "~file", "~is_later"
LATER = ("epoch", "offset", "partition")
"""Sort key of a participant's records: the last one counts. Kafka orders the records of one key within a partition by offset,
whatever clocks say; the partition breaks ties."""


def latest(records: DataFrame, contract: Contract) -> DataFrame:
    """Grain: one row per participant, the accepted record that is LATER; contract columns, then WHERE_FROM."""
    names = [*contract.columns, *WHERE_FROM]
    order = ", ".join(sql.name(name) for name in (*LATER, *(n for n in names if n not in LATER)))
    newest = (
        records.where("accepted").groupBy(contract.key).agg(F.expr(f"max(struct({order}))").alias("~newest"))
    )
    return newest.selectExpr(*(f"`~newest`.{sql.name(name)}" for name in names))


def answered_again(old: DataFrame, new: DataFrame, contract: Contract) -> DataFrame:
    """Grain: one row per participant of both: the key, the FILE that has the old answer, and whether the new one IS_LATER.

    Both have one row per participant. `old` is read from a table; `new` is small.
    """
    later = F.struct(*LATER)
    stored = old.select(
        contract.key, later.alias("~old"), F.col("_metadata.file_path").alias(FILE), _hash(contract)
    )
    # By hash first: a broadcast of numbers is small, and most rows are not looked at further.
    near = stored.join(F.broadcast(new.select(_hash(contract))), HASH, "left_semi").drop(HASH)
    both = near.join(new.select(contract.key, later.alias("~new")), contract.key)
    return both.select(contract.key, FILE, F.expr("`~new` > `~old`").alias(IS_LATER))


def without(rows: DataFrame, keys: DataFrame, contract: Contract) -> DataFrame:
    """Grain: one row per row whose participant is not in `keys`, which is small."""
    return rows.join(F.broadcast(keys.select(contract.key)), contract.key, "left_anti")


def answered_twice(records: DataFrame, contract: Contract, parts: int) -> DataFrame:
    """Grain: one row per hash, `~hash`, of a key that more than one accepted record has. Keys may share a hash by chance."""
    hashes = records.where("accepted").select(_hash(contract))
    # Shuffled first: adding up before a shuffle saves nothing where nearly every key is different.
    return hashes.repartition(parts, HASH).groupBy(HASH).count().where("count > 1").select(HASH)


def latest_but_for(records: DataFrame, contract: Contract, twice: DataFrame) -> DataFrame:
    """Grain: as `latest`, where `twice` (see `answered_twice`) is small: records of other keys are passed on unsorted."""
    hashed = records.where("accepted").withColumn(HASH, _hash(contract))
    once = hashed.join(F.broadcast(twice), HASH, "left_anti").select(*contract.columns, *WHERE_FROM)
    return once.unionByName(latest(hashed.join(F.broadcast(twice), HASH, "left_semi"), contract))


def _hash(contract: Contract) -> Column:
    return F.xxhash64(contract.key).alias(HASH)


def digest(frame: DataFrame, key: str) -> tuple[int, int, str]:
    """Return the number of rows, of distinct keys, and a digest of the content that does not depend on the order."""
    hashed = F.xxhash64(*(F.col(sql.name(column)) for column in sorted(frame.columns))).cast("decimal(38,0)")
    totals = frame.agg(
        F.count("*").alias("rows"), F.countDistinct(key).alias("keys"), F.sum(hashed).alias("content")
    ).first()
    return (totals["rows"], totals["keys"], str(totals["content"])) if totals else (0, 0, "")


def verdicts(records: DataFrame) -> DataFrame:
    """Grain: one row per partition and list of failed rules: topic, epoch, partition, failed_rules, first, last, records."""
    return records.groupBy("topic", "epoch", "partition", "failed_rules").agg(
        F.min("offset").alias("first"), F.max("offset").alias("last"), F.count("*").alias("records")
    )


def received(records: DataFrame, contract: Contract, by: str, smallest: int) -> DataFrame:
    """Grain: one row per group as received, before any rule: `group`, `few`, received, accepted (records), senders.

    `group` is NULL for records without a readable answer. Values that fewer than `smallest` records have are one row, `few`.
    `senders` counts the distinct keys of the rejected records.
    """
    group = F.col(by).cast("string").alias("group")
    key = F.when(~F.col("accepted"), F.col(contract.key))
    counted = records.groupBy(group).agg(
        F.count("*").alias("received"),
        F.count_if("accepted").alias("accepted"),
        F.countDistinct(key).alias("senders"),
    )
    few = (F.col("group").isNotNull() & (F.col("received") < smallest)).alias("few")
    sums = [F.sum(column).alias(column) for column in ("received", "accepted", "senders")]
    return counted.groupBy(F.when(~few, F.col("group")).alias("group"), few).agg(*sums)


def spellings(responses: DataFrame, column: str) -> dict[tuple[str | None, ...], int]:
    """Count the people of each value of a column, or of each answer in a set. Returns the MOST_SPELLINGS most frequent."""
    several = isinstance(responses.schema[column].dataType, T.ArrayType)
    values = responses.select((F.explode(column) if several else F.col(column)).alias(column))
    counted = values.where(F.col(column).isNotNull()).groupBy(column).agg(F.count("*").alias("people"))
    most = counted.orderBy(F.desc("people"), column).limit(MOST_SPELLINGS)
    return {(row[column],): row["people"] for row in most.collect()}


def blanked(responses: DataFrame) -> dict[str, int]:
    """Count the answers that were left blank, by reason, the most frequent first."""
    reasons = responses.select(F.explode(BLANKED).alias("reason")).groupBy("reason").count()
    return {row["reason"]: row["count"] for row in reasons.orderBy(F.desc("count"), "reason").collect()}


def points(
    responses: DataFrame, group: str, protected: Column, most: int, seed: int = 20
) -> tuple[Point, ...]:
    """Return the people who have both a measure and a group, by measure; of more than `most`, a sample by a seeded hash.

    `responses` has every column that `protected` reads as text. A chart's file lists points in this order: that of answering
    would tell who is which.
    """
    both = responses.where(F.col(MEASURE).isNotNull() & F.col(group).isNotNull())
    rank = F.xxhash64(F.lit(seed), "epoch", "partition", "offset")
    lowest = both.withColumn("rank", rank).orderBy("rank").limit(most)
    # Who is protected takes long to say: it is asked of those who are drawn.
    rows = lowest.select(
        F.col(MEASURE).cast("double").alias("x"), F.col(group).alias("g"), protected.alias("protected"), "rank",
    )  # fmt: skip
    drawn = sorted(rows.collect(), key=lambda row: (row["x"], row["g"], row["rank"]))
    return tuple(Point(row["x"], row["g"], row["protected"], row["rank"]) for row in drawn)
