"""One pinned version of `records` in; `responses`, the `summary_…` tables and the findings out."""

import json
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyspark.sql import DataFrame, Row, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StructType

from surveylake import aggregates, rules, sql, tables
from surveylake.config import Publish
from surveylake.contract import Contract
from surveylake.findings import Findings, Summary
from surveylake.tables import RECORDS, RESPONSES, Lake

AT_A_TIME = 4
"""Small jobs under way at once: each is a few rows, and most of its time is planning and waiting for files."""
Collected = tuple[StructType, list[Row]]


@dataclass(frozen=True)
class Published:
    """The findings, and each summary table as a frame ready to be written."""

    findings: Findings
    frames: dict[str, DataFrame]
    responses_version: int


def write_responses(spark: SparkSession, lake: Lake, contract: Contract, version: int) -> bool:
    """Make `responses` from `records` at `version`; False, and nothing done, when it was made from the same already."""
    path, note = lake.table(RESPONSES), {"records_version": version, "contract": contract.fingerprint}
    there = tables.exists(spark, path)
    if there and tables.note_of(spark, path) == note:
        return False
    if not there or not _has_checks(spark, path, contract):
        tables.create_responses(spark, lake, contract, rules.checks(contract))
    tables.replace(aggregates.latest(tables.read(spark, lake.table(RECORDS), version), contract), path, note)
    return True


def _has_checks(spark: SparkSession, path: str, contract: Contract) -> bool:
    """Whether the table's columns and CHECK constraints are this contract's."""
    properties = tables.properties(spark, path)
    there = {
        k.removeprefix(tables.CONSTRAINTS): v
        for k, v in properties.items()
        if k.startswith(tables.CONSTRAINTS)
    }
    columns = {field.name: field.dataType.simpleString() for field in tables.read(spark, path).schema}
    return (
        there == rules.checks(contract)
        and list(contract.columns.items()) == list(columns.items())[: len(contract.columns)]
    )


def analyse(spark: SparkSession, lake: Lake, contract: Contract, publish: Publish, version: int) -> Published:
    """Everything that is published, from `records` at `version` and the `responses` made from it."""
    records = tables.read(spark, lake.table(RECORDS), version)
    responses_version = tables.version(spark, lake.table(RESPONSES))
    responses = tables.read(spark, lake.table(RESPONSES), responses_version)
    cells = aggregates.cells(responses, contract).persist()
    try:
        total = sum(aggregates.counts(cells, []).values())
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            verdicts = pool.submit(lambda: records.groupBy("failed_rules").count().collect())
            offsets = pool.submit(tables.offset_ranges, records)
            points = pool.submit(_points, responses, contract, publish.scatter_points)
            unmapped = pool.submit(_unmapped, responses, contract)
            contingency = pool.submit(_contingency, cells, contract)
            groups = pool.submit(_group_counts, cells, contract)
            quant = pool.submit(_received, records, cells, contract, publish.smallest_group)
            held = dict(
                pool.map(
                    partial(_summary, cells, contract, publish.smallest_group, total), contract.summaries.by
                )
            )
        held |= quant.result()
        judged = verdicts.result()
        findings = Findings(
            contract=contract,
            version=version,
            offsets=tuple(offsets.result()),
            received=sum(row["count"] for row in judged),
            accepted=sum(row["count"] for row in judged if not row["failed_rules"]),
            responses=total,
            rejected_by_rule=_reasons(judged),
            unmapped=unmapped.result(),
            received_by=aggregates.plain_rows(held["summary_quant"][1]) if "summary_quant" in held else (),
            summaries=_named(contract, {name: rows for name, (_, rows) in held.items()}),
            counts=contingency.result(),
            group_counts=groups.result(),
            points=points.result()[0],
            points_total=points.result()[1],
        )
    finally:
        cells.unpersist()
    frames = {name: _frame(spark, rows, schema) for name, (schema, rows) in held.items()}
    return Published(findings, frames, responses_version)


def _frame(spark: SparkSession, rows: list[Row], schema: StructType) -> DataFrame:
    """Collected rows as a frame again, by one literal: Spark folds it into a local relation, and no job runs."""
    literal = sql.text(json.dumps([row.asDict() for row in rows], default=str))
    return spark.sql(f"SELECT inline(from_json({literal}, 'array<{schema.simpleString()}>'))")


def write_summaries(spark: SparkSession, lake: Lake, published: Published) -> None:
    """Write each summary table in one commit, tagged with the version of `records` it was computed from."""
    version = published.findings.version
    note = {"records_version": version, "contract": published.findings.contract.fingerprint}

    def write(item: tuple[str, DataFrame]) -> None:
        name, frame = item
        path = lake.table(name)
        if not tables.exists(spark, path) or tables.note_of(spark, path) != note:
            tables.replace(
                frame.coalesce(1).withColumn("records_version", F.lit(version).cast("bigint")), path, note
            )

    with ThreadPoolExecutor(AT_A_TIME) as pool:
        list(pool.map(write, published.frames.items()))


def _summary(
    cells: DataFrame, contract: Contract, smallest: int, total: int, by: list[str]
) -> tuple[str, Collected]:
    hidden = aggregates.small_groups(aggregates.counts(cells, by), smallest)
    frame = aggregates.summary(cells, by, hidden, total, contract.summaries.measure)
    return _table_name(by), (frame.schema, frame.collect())


def _table_name(by: list[str]) -> str:
    return "summary_" + "_".join(by)


def _named(contract: Contract, rows: dict[str, list[Row]]) -> dict[str, Summary]:
    names = {_table_name(by): tuple(by) for by in contract.summaries.by}
    return {name: Summary(name, by, aggregates.plain_rows(rows[name])) for name, by in names.items()}


def _received(
    records: DataFrame, cells: DataFrame, contract: Contract, smallest: int
) -> dict[str, Collected]:
    """`summary_quant`: received and accepted records beside responses, by the contract's group."""
    by = contract.summaries.received_by
    if by is None:
        return {}
    people = cells.groupBy(by).agg(F.sum(aggregates.COUNT).alias("responses"))
    counted = aggregates.received(records, contract, by).join(people, by, how="left")
    frame = aggregates.without_small(counted.fillna(0, ["responses"]).orderBy(by), by, smallest)
    return {"summary_quant": (frame.schema, frame.collect())}


def _points(responses: DataFrame, contract: Contract, most: int) -> tuple[tuple[tuple[float, str], ...], int]:
    charts, measure = contract.charts, contract.summaries.measure
    if charts is None or measure is None:
        return (), 0
    total = responses.where(F.col(measure).isNotNull() & F.col(charts.group).isNotNull()).count()
    return aggregates.points(responses, measure, charts.group, most, total), total


def _reasons(verdicts: list[Row]) -> dict[str, int]:
    found: dict[str, int] = {}
    for row in verdicts:
        for reason in row["failed_rules"]:
            found[reason] = found.get(reason, 0) + int(row["count"])
    return dict(sorted(found.items(), key=lambda item: (-item[1], item[0])))


def _unmapped(responses: DataFrame, contract: Contract) -> dict[str, tuple[str, ...]]:
    mapped = {name: field.spellings for name, field in contract.fields.items() if field.spellings}
    return {name: tuple(aggregates.unmapped(responses, name, known)) for name, known in mapped.items()}


def _contingency(cells: DataFrame, contract: Contract) -> dict[str, dict[tuple[str, str], int]]:
    claim = contract.hypothesis
    if claim is None:
        return {}
    pairs: dict[str, Any] = {
        outcome: aggregates.counts(cells, [claim.field, outcome]) for outcome in claim.outcomes
    }
    return {
        outcome: {(group, value): n for (group, value), n in found.items()}
        for outcome, found in pairs.items()
    }


def _group_counts(cells: DataFrame, contract: Contract) -> dict[str, int]:
    claim = contract.hypothesis
    return {group: n for (group,), n in aggregates.counts(cells, [claim.field]).items()} if claim else {}
