"""The plan of a change of contract: what differs, whose verdicts would change, and which published numbers, to what."""

import json
from dataclasses import asdict, dataclass
from functools import partial

from pyspark import StorageLevel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from surveylake import sql
from surveylake.config import Config
from surveylake.contract.differences import Difference
from surveylake.contract.model import Contract
from surveylake.errors import ConfigError
from surveylake.lake import judging
from surveylake.lake.tables import Lake
from surveylake.quarantine.comparison import Change, Comparison, changes, compare, require_allowed
from surveylake.quarantine.published_changes import Published, published_changes


@dataclass(frozen=True)
class Plan:
    """What jobs/replay.py would do, and what jobs/aggregate.py would publish then."""

    before: str
    """the lake's contract, such as `pets e30390f2239a, since version 0 (stream.py, …)`; empty where the lake does not keep it"""
    after: str
    version: int
    """of `records`"""
    differences: list[Difference]
    records: int
    accepted: tuple[int, int]
    """before, after"""
    changes: list[Change]
    filled: dict[str, int]
    """column that the table has not, also by a former name -> records that would have a value in it"""
    published: Published
    refusals: list[str]
    """why replay would refuse, each with what to do"""

    def as_json(self) -> str:
        """Return the whole plan as one JSON object."""
        whole = asdict(self)
        for change in whole["changes"]:
            del change["files"]
        return json.dumps(whole, indent=1, ensure_ascii=False)


def plan(spark: SparkSession, lake: Lake, config: Config, contract: Contract) -> Plan:
    """Return the plan. Nothing is written to the lake, and its version is read as it is now.

    Each record is judged once. What is needed of it afterwards waits on disk, without its raw bytes.
    """
    comparison = compare(spark, lake, contract, config.stream.max_message_bytes)
    rows = comparison.rows.persist(StorageLevel.DISK_ONLY)
    try:
        found = changes(rows, comparison.names)
        records, accepted, filled = _counts(rows, comparison)
        published = published_changes(spark, lake, contract, config.publish, rows)
    finally:
        rows.unpersist()
    entries = judging.history(comparison.properties)
    return Plan(
        before=f"{entries[-1].named}, since {entries[-1].since}" if entries else "",
        after=judging.named(contract.name, contract.fingerprint),
        version=comparison.version,
        differences=comparison.differences,
        records=records,
        accepted=accepted,
        changes=found,
        filled=filled,
        published=published,
        refusals=_refusals(comparison, found),
    )


def _counts(rows: DataFrame, comparison: Comparison) -> tuple[int, tuple[int, int], dict[str, int]]:
    """Return the number of records, of those accepted before and after, and of those with a value in each new column."""
    new = [name for name in comparison.contract.columns if name not in comparison.names]
    filled = [F.count(sql.name(name)).alias(f"~{name}") for name in new]
    was, now = F.count_if("`~before`.accepted").alias("was"), F.count_if("accepted").alias("now")
    row = rows.agg(F.count("*").alias("records"), was, now, *filled).first()
    assert row is not None
    return row["records"], (row["was"], row["now"]), {name: row[f"~{name}"] for name in new}


def _refusals(comparison: Comparison, found: list[Change]) -> list[str]:
    said = []
    for check in (
        partial(judging.refuse_frozen, comparison.differences),
        partial(require_allowed, comparison.contract, found),
    ):
        try:
            check()
        except ConfigError as error:
            said.append(f"{error.message}. {error.hint}")
    return said
