"""One version of `records`, and the `responses` made from it, in; the findings and the published tables out."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from surveylake import aggregates, groups, summary_tables, tables
from surveylake.config import Publish
from surveylake.contract import Contract
from surveylake.findings import Findings, Summary
from surveylake.groups import By, Found
from surveylake.records import Held
from surveylake.summary_tables import AT_A_TIME, QUANT, Table
from surveylake.tables import RESPONSES, Lake


@dataclass(frozen=True)
class Published:
    """The findings, and each summary table as a frame ready to be written."""

    findings: Findings
    frames: dict[str, DataFrame]
    responses_version: int


def analyse(spark: SparkSession, lake: Lake, contract: Contract, publish: Publish, seen: Held) -> Published:
    """Everything that is published, from `records` as they were `seen` and the `responses` made from them."""
    responses_version = tables.version(spark, lake.table(RESPONSES))
    responses = tables.read(spark, lake.table(RESPONSES), responses_version)
    lists = groups.groupings(contract)
    cells = groups.cells(responses, contract).persist()
    try:
        with ThreadPoolExecutor(AT_A_TIME) as pool:
            counted = pool.submit(summary_tables.of_records, seen.records, contract, publish.smallest_group)
            points = pool.submit(_points, responses, contract, publish.scatter_points)
            uncounted = pool.submit(_unmapped_elsewhere, responses, contract, lists)
            people = groups.counts(cells, lists)
            held = summary_tables.of_people(cells, contract, people, publish.smallest_group)
    finally:
        cells.unpersist()
    held |= summary_tables.quant(contract, counted.result(), people)
    findings = Findings(
        contract=contract,
        version=seen.version,
        offsets=seen.offsets,
        received=sum(seen.verdicts.values()),
        accepted=seen.accepted,
        responses=sum(people[()].values()),
        rejected_by_rule=seen.by_rule,
        unmapped=_unmapped(contract, people) | uncounted.result(),
        received_by=aggregates.plain_rows(held[QUANT].as_rows()) if QUANT in held else (),
        summaries=_named(contract, held),
        counts=_contingency(contract, people),
        group_counts=_group_counts(contract, people),
        points=points.result(),
        points_total=people.get((groups.PLOTTED,), {}).get(("true",), 0),
    )
    frames = {name: summary_tables.frame(spark, table, seen.version) for name, table in held.items()}
    return Published(findings, frames, responses_version)


def _named(contract: Contract, held: dict[str, Table]) -> dict[str, Summary]:
    lists = {summary_tables.name_of(by): tuple(by) for by in contract.summaries.by}
    return {
        name: Summary(name, by, aggregates.plain_rows(held[name].as_rows())) for name, by in lists.items()
    }


def _points(responses: DataFrame, contract: Contract, most: int) -> tuple[tuple[float, str], ...]:
    charts, measure = contract.charts, contract.summaries.measure
    if charts is None or measure is None:
        return ()
    return aggregates.points(responses, measure, charts.group, most)


def _unmapped(contract: Contract, people: dict[By, Found]) -> dict[str, tuple[str, ...]]:
    """Field -> the spellings its map does not know, of fields that people are counted by."""
    found = {}
    for name, field in contract.fields.items():
        if field.spellings and (name,) in people:
            texts = {text for (text,) in people[(name,)] if text is not None}
            found[name] = tuple(sorted(texts - set(field.spellings))[: aggregates.MOST_SPELLINGS])
    return found


def _unmapped_elsewhere(
    responses: DataFrame, contract: Contract, lists: list[By]
) -> dict[str, tuple[str, ...]]:
    """The same of the other fields that have a map."""
    mapped = {name: field.spellings for name, field in contract.fields.items() if field.spellings}
    return {
        name: tuple(aggregates.unmapped(responses, name, known))
        for name, known in mapped.items()
        if (name,) not in lists
    }


def _contingency(contract: Contract, people: dict[By, Found]) -> dict[str, dict[tuple[str, str], int]]:
    claim = contract.hypothesis
    outcomes = claim.outcomes if claim else []
    tested = {outcome: groups.named(people[(claim.field, outcome)]) for outcome in outcomes if claim}
    return {
        outcome: {(group, value): n for (group, value), n in found.items()}
        for outcome, found in tested.items()
    }


def _group_counts(contract: Contract, people: dict[By, Found]) -> dict[str, int]:
    claim = contract.hypothesis
    return {group: n for (group,), n in groups.named(people[(claim.field,)]).items()} if claim else {}
