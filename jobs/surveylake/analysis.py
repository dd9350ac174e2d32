"""One pinned version of `records` in; `responses`, the `summary_…` tables and the findings out."""

import logging
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from surveylake import aggregates, rules, sql, tables
from surveylake.config import Publish
from surveylake.contract import Contract
from surveylake.findings import Findings, Summary
from surveylake.tables import RECORDS, RESPONSES, Lake

log = logging.getLogger(__name__)
WRITERS = 4
"""Summary tables written at a time: each is a few rows, and most of the time is spent waiting for files."""


@dataclass(frozen=True)
class Published:
    """The findings, and each summary table as a frame ready to be written."""

    findings: Findings
    frames: dict[str, DataFrame]


def write_responses(spark: SparkSession, lake: Lake, contract: Contract, version: int) -> None:
    """Make `responses` from `records` at `version`; nothing is done when the table was made from the same."""
    path, note = lake.table(RESPONSES), {"records_version": version, "contract": contract.fingerprint}
    if tables.exists(spark, path) and tables.note_of(spark, path) == note:
        return
    people = aggregates.latest(tables.read(spark, lake.table(RECORDS), version), contract)
    if not _has_checks(spark, path, contract):
        tables.replace(people.limit(0), path, {"contract": contract.fingerprint})
        for name, check in rules.checks(contract).items():
            spark.sql(f"ALTER TABLE delta.{sql.name(path)} ADD CONSTRAINT {sql.name(name)} CHECK ({check})")
    tables.replace(people, path, note)


def _has_checks(spark: SparkSession, path: str, contract: Contract) -> bool:
    """Whether the table's CHECK constraints are this contract's; stale ones are dropped, so that they can be made anew."""
    if not tables.exists(spark, path):
        return False
    prefix = "delta.constraints."
    there = {k.removeprefix(prefix): v for k, v in tables.properties(spark, path).items() if k.startswith(prefix)}
    wanted = rules.checks(contract)
    if there == wanted:
        return True
    for name in there:
        spark.sql(f"ALTER TABLE delta.{sql.name(path)} DROP CONSTRAINT {sql.name(name)}")
    return False


def analyse(spark: SparkSession, lake: Lake, contract: Contract, publish: Publish, version: int) -> Published:
    """Everything that is published, from `records` at `version` and the `responses` made from it."""
    records = tables.read(spark, lake.table(RECORDS), version)
    responses = tables.read(spark, lake.table(RESPONSES))
    cells = aggregates.cells(responses, contract).persist()
    try:
        verdicts = records.groupBy("failed_rules").count().collect()
        total = sum(aggregates.counts(cells, [])[()] for _ in [0]) if cells.take(1) else 0
        frames, summaries = _summaries(cells, contract, publish.smallest_group, total)
        findings = Findings(
            contract=contract,
            version=version,
            offsets=tuple(tables.offset_ranges(records)),
            received=sum(row["count"] for row in verdicts),
            accepted=sum(row["count"] for row in verdicts if not row["failed_rules"]),
            responses=total,
            rejected_by_rule=_reasons(verdicts),
            unmapped=_unmapped(responses, contract),
            received_by=(),
            summaries=summaries,
            counts=_contingency(cells, contract),
            group_counts=_group_counts(cells, contract),
            points=(),
            points_total=0,
        )
        findings = _with_points(responses, findings, publish.scatter_points)
        frames, findings = _with_received(records, cells, frames, findings)
        frames = {name: spark.createDataFrame(frame.collect(), frame.schema) for name, frame in frames.items()}
    finally:
        cells.unpersist()
    return Published(findings, frames)


def write_summaries(lake: Lake, published: Published) -> None:
    """Write each summary table in one commit, tagged with the version of `records` it was computed from."""
    from pyspark.sql import functions as F

    version = published.findings.version
    note = {"records_version": version, "contract": published.findings.contract.fingerprint}

    def write(item: tuple[str, DataFrame]) -> None:
        name, frame = item
        tables.replace(frame.coalesce(1).withColumn("records_version", F.lit(version).cast("bigint")), lake.table(name), note)

    with ThreadPoolExecutor(WRITERS) as pool:
        list(pool.map(write, published.frames.items()))


def _summaries(cells: DataFrame, contract: Contract, smallest: int, total: int) -> tuple[dict[str, DataFrame], dict[str, Summary]]:
    frames, found = {}, {}
    for by in contract.summaries.by:
        name = "summary_" + "_".join(by)
        hidden = aggregates.small_groups(aggregates.counts(cells, by), smallest)
        frame = aggregates.summary(cells, by, hidden, total, contract.summaries.measure)
        frames[name] = frame
        found[name] = Summary(name, tuple(by), aggregates.as_rows(frame))
    return frames, found


def _with_received(
    records: DataFrame, cells: DataFrame, frames: dict[str, DataFrame], findings: Findings
) -> tuple[dict[str, DataFrame], Findings]:
    """+ `summary_quant`: received and accepted records beside responses, by the contract's group."""
    by = findings.contract.summaries.received_by
    if by is None:
        return frames, findings
    from pyspark.sql import functions as F

    people = cells.groupBy(by).agg(F.sum(aggregates.COUNT).alias("responses"))
    frame = aggregates.received(records, findings.contract, by).join(people, by, how="left").fillna(0, ["responses"]).orderBy(by)
    return {**frames, "summary_quant": frame}, replace(findings, received_by=aggregates.as_rows(frame))


def _with_points(responses: DataFrame, findings: Findings, most: int) -> Findings:
    charts, measure = findings.contract.charts, findings.contract.summaries.measure
    if charts is None or measure is None:
        return findings
    total = responses.where(f"{sql.name(measure)} IS NOT NULL AND {sql.name(charts.group)} IS NOT NULL").count()
    points = aggregates.points(responses, measure, charts.group, most, total)
    return replace(findings, points=points, points_total=total)


def _reasons(verdicts: list[Any]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in verdicts:
        for reason in row["failed_rules"]:
            found[reason] = found.get(reason, 0) + row["count"]
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _unmapped(responses: DataFrame, contract: Contract) -> dict[str, tuple[str, ...]]:
    named = {name: field.spellings for name, field in contract.fields.items() if field.spellings}
    return {name: tuple(aggregates.unmapped(responses, name, known)) for name, known in named.items()}


def _contingency(cells: DataFrame, contract: Contract) -> dict[str, dict[tuple[str, str], int]]:
    claim = contract.hypothesis
    if claim is None:
        return {}
    return {
        outcome: {(g, o): n for (g, o), n in aggregates.counts(cells, [claim.field, outcome]).items()} for outcome in claim.outcomes
    }


def _group_counts(cells: DataFrame, contract: Contract) -> dict[str, int]:
    claim = contract.hypothesis
    return {g: n for (g,), n in aggregates.counts(cells, [claim.field]).items()} if claim else {}
