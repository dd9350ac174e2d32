"""The rejected records: counts by reason, and rows with coordinates and text."""

from collections.abc import Iterator

from pyspark.sql import DataFrame, Row, Window
from pyspark.sql import functions as F

from surveylake import wording
from surveylake.lake import timestamps
from surveylake.lake.tables import Cell
from surveylake.quarantine.value_looks import looks_like

COLUMNS = ("topic", "epoch", "partition", "offset", "timestamp", "key", "failed_rules", "value")
SEPARATOR = "; "
"""Between reasons, in a cell and on a line."""
NOTHING = "(no value)"


def rejects(records: DataFrame, rule: str | None = None) -> DataFrame:
    """Return the rejected records; with `rule`, those that failed it. Grain: one row per record.

    A rule is a whole reason (`out_of_range:Age`) or the part before the colon (`out_of_range`).
    """
    # An earlier release took in times that Python cannot hold.
    time = F.expr(timestamps.shown("timestamp"))
    rejected = records.where("NOT accepted").select(*COLUMNS).withColumn("timestamp", time)
    if rule is None:
        return rejected
    hit = F.exists("failed_rules", lambda reason: (reason == rule) | F.startswith(reason, F.lit(f"{rule}:")))
    return rejected.where(hit)


def by_reason(rejected: DataFrame) -> dict[str, int]:
    """Return reason -> records, the most frequent first; a record with two reasons counts in both."""
    rows = rejected.select(F.explode("failed_rules").alias("reason")).groupBy("reason").count().collect()
    return {
        row["reason"]: row["count"] for row in sorted(rows, key=lambda row: (-row["count"], row["reason"]))
    }


def samples(rejected: DataFrame, each: int) -> dict[str, list[Row]]:
    """Return reason -> its first `each` records by epoch, partition and offset."""
    first = Window.partitionBy("reason").orderBy("epoch", "partition", "offset")
    exploded = rejected.withColumn("reason", F.explode("failed_rules"))
    numbered = exploded.withColumn("~place", F.row_number().over(first)).where(F.col("~place") <= each)
    sampled: dict[str, list[Row]] = {}
    for row in numbered.orderBy("reason", "~place").collect():
        sampled.setdefault(row["reason"], []).append(row)
    return sampled


def ordered(rejected: DataFrame, limit: int | None = None) -> DataFrame:
    """Return the records by epoch, partition and offset, the first `limit` of them."""
    rows = rejected.orderBy("epoch", "partition", "offset")
    return rows if limit is None else rows.limit(limit)


def shown(row: Row, width: int) -> str:
    """Return `epoch 1 partition 2 offset 17  key FPS184  out_of_range:Age  {"Age": …`, safe for a terminal.

    At most `width` characters of the value are shown.
    """
    value = " ".join(wording.printable(text_of(row["value"])).split())
    cut = value if len(value) <= width else f"{value[: width - 1]}…"
    where = f"epoch {row['epoch']} partition {row['partition']} offset {row['offset']}"
    key = wording.printable(row["key"])[:width] if row["key"] is not None else "(none)"
    guess = looks_like(row["value"])
    looks = f"  (looks like {guess})" if guess else ""
    return f"{where}  key {key}  {wording.printable(SEPARATOR.join(row['failed_rules']))}  {cut}{looks}"


def cells(rows: Iterator[Row]) -> Iterator[dict[str, Cell]]:
    """Yield the rows of `for_sheets` as the cells of a CSV: reasons joined, the value as text."""
    for row in rows:
        yield {
            **{name: row[name] for name in ("topic", "epoch", "partition", "offset", "key")},
            "timestamp": row["timestamp"],
            "failed_rules": SEPARATOR.join(row["failed_rules"]),
            "value": None if row["value"] is None else text_of(row["value"]),
        }


def for_sheets(rejected: DataFrame) -> DataFrame:
    """Return the records with the time as text in ISO 8601 UTC: a collected timestamp is in this machine's time zone."""
    return rejected.withColumn("timestamp", F.date_format("timestamp", "yyyy-MM-dd'T'HH:mm:ss.SSS'Z'"))


def text_of(value: bytes | bytearray | None) -> str:
    """Return the value as text; bytes that are not UTF-8 become '\\xNN'."""
    return NOTHING if value is None else bytes(value).decode("utf-8", "backslashreplace")
