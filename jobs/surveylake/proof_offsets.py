"""Does `records` hold every offset exactly once? Counted over the columns epoch, partition and offset; no payload is read."""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.window import Window

from surveylake.proof import NOT_PROVED, PROVED, Check, counted, some
from surveylake.proof_broker import Answer, Broker, Range
from surveylake.tables import LOSS

MOST_HOLES = 100_000
"""ranges looked into per partition; a table with more has another trouble"""
WHAT = "offsets"
ASK = "Run this with the broker that the records came from (--bootstrap)."
REPAIR = "Do not go on streaming into this lake: read 'When verify says no' in docs/reliability.md."


@dataclass(frozen=True)
class Cover:
    """What the table holds of one epoch and partition."""

    epoch: int
    partition: int
    first: int
    last: int
    rows: int
    distinct: int
    """different offsets among the rows"""

    @property
    def where(self) -> str:
        """How a person calls it."""
        return f"epoch {self.epoch} partition {self.partition}"


def covers(records: DataFrame) -> list[Cover]:
    """Each epoch and partition, exactly counted: every offset sets one bit of a bitmap, so doubles and holes show.

    The files' own statistics would be cheaper, and prove less: a file that holds one offset twice and lacks another has the
    same smallest, largest and number as a sound one.
    """
    bucket, bit = F.bitmap_bucket_number("offset"), F.bitmap_construct_agg(F.bitmap_bit_position("offset"))
    buckets = records.groupBy("epoch", "partition", bucket.alias("bucket")).agg(
        bit.alias("bits"),
        F.min("offset").alias("first"),
        F.max("offset").alias("last"),
        F.count("*").alias("rows"),
    )
    whole = buckets.groupBy("epoch", "partition").agg(
        F.min("first").alias("first"), F.max("last").alias("last"), F.sum("rows").alias("rows"),
        F.sum(F.bitmap_count("bits")).alias("distinct"),
    )  # fmt: skip
    columns = ("epoch", "partition", "first", "last", "rows", "distinct")
    return sorted(
        (Cover(*(row[c] for c in columns)) for row in whole.collect()), key=lambda c: (c.epoch, c.partition)
    )


def holes(records: DataFrame, cover: Cover) -> list[Range]:
    """The ranges between first and last offset that have no row, ascending."""
    if cover.distinct == cover.last - cover.first + 1:
        return []
    there = _of(records, cover).select("offset").distinct()
    after = F.lead("offset").over(Window.orderBy("offset"))
    steps = (
        there.select("offset", after.alias("next"))
        .where("next > offset + 1")
        .orderBy("offset")
        .limit(MOST_HOLES)
    )
    return [(row["offset"] + 1, row["next"] - 1) for row in steps.collect()]


def doubles(records: DataFrame, cover: Cover) -> list[int]:
    """Offsets that have more than one row, ascending; at most 1000."""
    if cover.rows == cover.distinct:
        return []
    found = _of(records, cover).groupBy("offset").count().where("count > 1").orderBy("offset").limit(1000)
    return [row["offset"] for row in found.collect()]


def accepted_losses(properties: dict[str, str], epoch: int, partition: int) -> list[Range]:
    """The ranges that were accepted as lost when they expired, from the table's properties."""
    prefix = f"{LOSS}{epoch}.{partition}."
    ranges = (key.removeprefix(prefix).split("-") for key in properties if key.startswith(prefix))
    return sorted((int(first), int(last)) for first, last in ranges)


def go_on_at(cover: Cover, lost: Sequence[Range]) -> int:
    """The offset the stream goes on at: after the last row, and after what was accepted as lost behind it."""
    end = cover.last + 1
    for first, last in lost:
        end = last + 1 if first <= end <= last else end
    return end


def without(found: Sequence[Range], known: Sequence[Range]) -> list[Range]:
    """What is left of ranges when others are taken out of them."""
    left = list(found)
    for first, last in known:
        rest = [((a, min(b, first - 1)), (max(a, last + 1), b)) for a, b in left]
        left = [part for pair in rest for part in dict.fromkeys(pair) if part[0] <= part[1]]
    return left


def check(
    records: DataFrame, cover: Cover, lost: Sequence[Range], broker: Broker | None, begin: int | None
) -> Check:
    """One epoch and partition. `begin` is the offset it should begin at, where that is known; else where it begins is said."""
    if twice := doubles(records, cover):
        rows = counted(cover.rows - cover.distinct, "row")
        detail = f"{rows} too many: offset {some(twice)} more than once"
        return Check(WHAT, cover.where, NOT_PROVED, detail, REPAIR)
    before = [(begin, cover.first - 1)] if begin is not None and begin < cover.first else []
    open_ranges = [*before, *holes(records, cover)]
    unknown = without(open_ranges, lost)
    said = f"{cover.first:,} to {cover.last:,}: {counted(cover.rows, 'record')}, each once"
    if unknown != open_ranges:
        said += f"; {counted(size(open_ranges) - size(unknown), 'offset')} accepted as lost"
    if cover.first > 0 and not before:
        said += "; what came before its first offset is " + (
            "not told" if begin is None else "no longer in the topic"
        )
    return _unexplained(cover, said, unknown, broker) if unknown else Check(WHAT, cover.where, PROVED, said)


def _unexplained(cover: Cover, said: str, unknown: Sequence[Range], broker: Broker | None) -> Check:
    """Offsets that neither have a row nor were accepted as lost: the broker is asked what they are."""
    if broker is None:
        detail = f"{_named(unknown)} not in the table, and no broker was asked why"
        return Check(WHAT, cover.where, NOT_PROVED, detail, ASK)
    answers = broker.ask(cover.partition, unknown)
    if against := spoken_against(answers):
        return Check(WHAT, cover.where, NOT_PROVED, against, REPAIR)
    return Check(WHAT, cover.where, PROVED, f"{said}; {spoken_for(answers, broker)}")


def spoken_against(answers: Sequence[Answer]) -> str:
    """What the broker has and the table lacks, or cannot tell; empty when there is no such thing."""
    lost = [answer for answer in answers if answer.committed]
    dark = [answer for answer in answers if answer.unknown]
    said = []
    if lost:
        records = counted(sum(answer.committed for answer in lost), "record")
        said.append(
            f"{records} in the topic and not in the table: {_named([answer.hole for answer in lost])}"
        )
    if dark:
        said.append(f"{_named([answer.hole for answer in dark])} not in the table, and {dark[0].unknown}")
    return "; ".join(said)


def spoken_for(answers: Sequence[Answer], broker: Broker) -> str:
    """What the offsets without a row are, as the broker tells."""
    aborted, empty = sum(a.aborted for a in answers), sum(a.empty for a in answers)
    kind = "end of a transaction or compacted away" if broker.compacted else "end of a transaction"
    parts = [f"{aborted:,} aborted"] * bool(aborted) + [f"{empty:,} {kind}"] * bool(empty)
    return f"{counted(aborted + empty, 'offset')} without a record, the broker says: {', '.join(parts)}"


def size(ranges: Sequence[Range]) -> int:
    """How many offsets ranges hold."""
    return sum(last - first + 1 for first, last in ranges)


def _named(ranges: Sequence[Range]) -> str:
    texts = [f"{first}" if first == last else f"{first} to {last}" for first, last in ranges]
    return f"{counted(size(ranges), 'offset')} ({some(texts)})"


def _of(records: DataFrame, cover: Cover) -> DataFrame:
    return records.where((F.col("epoch") == cover.epoch) & (F.col("partition") == cover.partition))
