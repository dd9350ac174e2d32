"""From one version of `records` and its `responses` to the findings and the published tables."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pyspark.sql import DataFrame, Row, SparkSession

from surveylake.aggregate import disclosure, groups, people, summary_lines, summary_tables
from surveylake.aggregate.disclosure import Answered, Counts, Group, Mask
from surveylake.aggregate.findings import Findings, Point, ReceivedLine, Summary
from surveylake.aggregate.groups import By, Counted
from surveylake.aggregate.record_counts import RecordCounts
from surveylake.aggregate.spellings import mapped_columns, unknown_spellings
from surveylake.aggregate.summary_tables import AT_A_TIME, QUANT
from surveylake.config import Publish
from surveylake.contract.model import Contract
from surveylake.lake import tables
from surveylake.lake.small_table import SmallTable
from surveylake.lake.tables import RESPONSES, Cell, Lake


@dataclass(frozen=True)
class Published:
    """The findings, and the content of each summary table."""

    findings: Findings
    tables: dict[str, SmallTable]
    responses_version: int


def analyse(
    spark: SparkSession,
    lake: Lake,
    contract: Contract,
    publish: Publish,
    records: RecordCounts,
    responses_version: int,
) -> Published:
    """Compute everything that is published, from the records of one version and the version of `responses` made from them."""
    responses = tables.read(spark, lake.table(RESPONSES), responses_version)
    findings = findings_of(responses, contract, publish, records)
    return Published(findings, _tables(findings), responses_version)


def findings_of(
    responses: DataFrame, contract: Contract, publish: Publish, records: RecordCounts
) -> Findings:
    """Count people and records, and decide what of it is published. `responses` has one row per person."""
    smallest = publish.smallest_group
    cells = groups.cells(responses, contract).persist()
    try:
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            spellings = pool.submit(_uncounted_spellings, responses, contract)
            blanked = pool.submit(people.blanked, responses) if contract.may_blank else None
            received = pool.submit(_received, records.records, contract, smallest)
            counted = groups.counts(cells, groups.groupings(contract), groups.measured(contract))
            answered = {by: disclosure.answered(counted.people[by]) for by in groups.published(contract)}
            masks = {by: disclosure.mask_of(by, answered[by], smallest) for by in answered}
            points = pool.submit(_points, responses, contract, masks, publish.scatter_points)
            measures = _measures(cells, contract, counted, masks)
    finally:
        cells.unpersist()
    summaries = {
        by: summary_lines.summary(contract, by, answered[by], masks[by], measures.get(by, {})) for by in masks
    }
    return Findings(
        contract=contract,
        version=records.version,
        smallest_group=smallest,
        offsets=records.offsets,
        received=sum(records.verdicts.values()),
        accepted=records.accepted,
        responses=sum(counted.people[()].values()),
        rejected_by_rule=records.by_rule,
        unknown_spellings=_unknown(contract, {**counted.people, **spellings.result()}, smallest),
        received_by=_received_lines(contract, received.result(), answered, smallest),
        summaries={tuple(by): summaries[tuple(by)] for by in contract.summaries.by},
        outcomes=_outcomes(contract, summaries),
        group_counts=_group_counts(contract, counted),
        points=points.result(),
        blanked_by_reason=blanked.result() if blanked else {},
    )


def _received(records: DataFrame, contract: Contract, smallest: int) -> list[Row]:
    by = contract.summaries.received_by
    return people.received(records, contract, by, smallest).collect() if by else []


def _received_lines(
    contract: Contract, counted: list[Row], answered: Mapping[By, Answered], smallest: int
) -> tuple[ReceivedLine, ...]:
    by = contract.summaries.received_by
    return summary_lines.received_lines(contract, by, counted, answered[(by,)], smallest) if by else ()


def _tables(findings: Findings) -> dict[str, SmallTable]:
    contract, measure, version = findings.contract, findings.contract.summaries.measure, findings.version
    published = {
        table.name: summary_tables.table_of(
            summary_tables.columns_of(contract, by), summary_tables.rows(table, measure), version
        )
        for by, table in findings.summaries.items()
    }
    if group := contract.summaries.received_by:
        rows = summary_tables.quant_rows(group, findings.received_by)
        published[QUANT] = summary_tables.table_of(summary_tables.quant_columns(group), rows, version)
    return published


def _measures(
    cells: DataFrame, contract: Contract, counted: Counted, masks: Mapping[By, Mask]
) -> dict[By, dict[Group, dict[str, Cell]]]:
    lists, measure = groups.measured(contract), contract.summaries.measure
    if measure is None or not lists:
        return {}
    rows = groups.statistics(cells, masks, lists, measure).collect()
    return summary_lines.measures(rows, lists, measure, counted, masks)


def _points(
    responses: DataFrame, contract: Contract, masks: Mapping[By, Mask], most: int
) -> tuple[Point, ...]:
    charts, measure = contract.charts, contract.summaries.measure
    if charts is None or measure is None or (charts.group,) not in masks:
        return ()
    texts = groups.as_text(responses, contract)
    return people.points(texts, charts.group, groups.protected(masks), most)


def _uncounted_spellings(responses: DataFrame, contract: Contract) -> dict[By, Counts]:
    """Count the values of each field that has spellings and is in no list that is counted."""
    counted = groups.groupings(contract)
    return {
        (name,): people.spellings(responses, name)
        for name in mapped_columns(contract)
        if (name,) not in counted
    }


def _unknown(contract: Contract, counts: Mapping[By, Counts], smallest: int) -> dict[str, dict[str, int]]:
    unknown = {
        name: unknown_spellings(contract, name, counts[(name,)], smallest)
        for name in mapped_columns(contract)
    }
    return {name: spellings for name, spellings in unknown.items() if spellings}


def _outcomes(contract: Contract, summaries: Mapping[By, Summary]) -> dict[str, Summary]:
    claim = contract.hypothesis
    return {outcome: summaries[(claim.field, outcome)] for outcome in claim.outcomes} if claim else {}


def _group_counts(contract: Contract, counted: Counted) -> dict[str, int]:
    claim = contract.hypothesis
    if claim is None:
        return {}
    return {group: n for (group,), n in disclosure.answered(counted.people[(claim.field,)]).groups.items()}
