"""What the report says, as plain values for its templates: every number is from the findings or the evidence."""

from typing import Any

from surveylake.charts import Chart, said_of_boxes
from surveylake.contract import Contract
from surveylake.crosstab import gap_of
from surveylake.evidence import CONFIDENCE, FEWEST_EXPECTED, LEVEL, Association, Evidence
from surveylake.findings import Cell, Findings, Summary
from surveylake.labels import (
    bars_of,
    count,
    decimal,
    measure_words,
    p_value,
    people,
    percent,
    plural,
    shorten,
    summary_by,
    words,
)  # fmt: skip
from surveylake.report_origin import provenance, rejected, stages, unmapped
from surveylake.verdict import ASSUMES, answer, reading

MOST_ROWS = 40
"""rows of a table in the report; its CSV has all"""
MOST_CARDS = 6
MOST_PARTITIONS = 24
STEPS = ("received", "accepted", "responses")


def view(findings: Findings, evidence: Evidence, charts: list[Chart], smallest_group: int) -> dict[str, Any]:
    """The whole report's content. Groups under `smallest_group` people are never told apart in it."""
    contract = findings.contract
    return {
        "title": contract.title,
        "lead": _lead(findings),
        "field": _field(contract),
        "cards": _cards(findings),
        "steps": _steps(findings),
        "claim": _claim(findings, evidence, smallest_group),
        "associations": [_association(findings, test) for test in evidence.associations],
        "association_field": words(contract.hypothesis.field) if contract.hypothesis else "",
        "confidence": f"{CONFIDENCE:.0%}".replace("%", " %"),
        "level": LEVEL,
        "fewest_expected": FEWEST_EXPECTED,
        "charts": charts,
        "boxes": said_of_boxes(charts),
        "tables": [_table(table, contract) for table in findings.summaries.values()],
        "rejected": rejected(findings),
        "unmapped": unmapped(findings),
        "stages": stages(findings, len(charts), smallest_group),
        "provenance": provenance(findings, smallest_group),
        "offsets": findings.offsets[:MOST_PARTITIONS],
        "offsets_left": max(0, len(findings.offsets) - MOST_PARTITIONS),
    }


def _lead(findings: Findings) -> str:
    return (
        f"{plural(findings.responses, 'person', 'people')}, from {plural(findings.received, 'record')} received: "
        f"{count(findings.accepted)} accepted, {count(findings.rejected)} rejected."
    )


def _field(contract: Contract) -> str:
    """The column of the first question: the hypothesis's, else the charts', else the first published one; or none."""
    if contract.hypothesis:
        return contract.hypothesis.field
    if contract.charts:
        return contract.charts.group
    return next((by[0] for by in contract.summaries.by if len(by) == 1), "")


def _cards(findings: Findings) -> list[dict[str, str]]:
    """One big number per group of the first question."""
    claim = findings.contract.hypothesis
    table = summary_by(findings, _field(findings.contract))
    bars, _ = bars_of(table, MOST_CARDS) if table else ([], 0)
    total = sum(n for _, n in bars)
    called = claim.words if claim else {}
    return [
        {
            "name": shorten(name),
            "word": shorten(called.get(name, name)),
            "count": count(n),
            "share": percent(n / total),
        }
        for name, n in bars
        if total
    ]


def _steps(findings: Findings) -> dict[str, Any] | None:
    """How many of each group came in, were accepted, and are counted; None when the contract does not ask."""
    group = findings.contract.summaries.received_by
    if not group or not findings.received_by:
        return None
    rows = [
        [shorten(row.get(group), 60), *(_shown(row.get(step)) for step in STEPS)]
        for row in findings.received_by
    ]
    differ = [row for row in findings.received_by[:MOST_CARDS] if len({row.get(step) for step in STEPS}) > 1]
    said = [
        f"{shorten(row.get(group))}: {', '.join(f'{_shown(row.get(step))} {_step(step)}' for step in STEPS)}"
        for row in differ
    ]
    return {
        "field": words(group),
        "rows": rows[:MOST_ROWS],
        "differ": "; ".join(said),
        "steps": [_step(step) for step in STEPS],
    }


def _step(step: str) -> str:
    return "counted" if step == "responses" else "as received" if step == "received" else step


def _shown(value: Cell) -> str:
    return count(value) if isinstance(value, int | float) else "0"


def _claim(findings: Findings, evidence: Evidence, smallest_group: int) -> dict[str, Any] | None:
    claim = findings.contract.hypothesis
    if claim is None or evidence.claim is None:
        return None
    less = claim.words.get(claim.less, claim.less)
    more = claim.words.get(claim.more, claim.more)
    return {
        "text": claim.claim, "caveat": claim.caveat, "assumes": ASSUMES, "verdict": evidence.claim.verdict,
        "answer": answer(evidence.claim, claim, smallest_group), "more": more, "less": less,
    }  # fmt: skip


def _association(findings: Findings, test: Association) -> dict[str, str]:
    field = findings.contract.hypothesis.field if findings.contract.hypothesis else ""
    table = summary_by(findings, field, test.outcome)
    statistic = "–" if test.statistic is None else f"{test.statistic:.2f} ({test.degrees})"
    return {
        "outcome": words(test.outcome),
        "gap": gap_of(table) if table else "",
        "method": test.method,
        "n": count(test.n),
        "statistic": statistic,
        "p": "–" if test.p is None else p_value(test.p).removeprefix("p = ").removeprefix("p "),
        "p_holm": "–"
        if test.p_holm is None
        else p_value(test.p_holm).removeprefix("p = ").removeprefix("p "),
        "v": "–" if test.cramers_v is None else f"{test.cramers_v:.2f}",
        "reading": reading(test, field),
        "differs": "yes" if test.differs else "",
    }


def _table(table: Summary, contract: Contract) -> dict[str, Any]:
    """A summary as text cells, with what its CSV is called and how many rows are left to it."""
    measure = contract.summaries.measure
    kinds = [
        kind
        for kind in ("mean", "median", "sd", "min", "max")
        if any(f"{measure}_{kind}" in row for row in table.rows)
    ]
    head = [*map(words, table.by), "answers", "share", *kinds]
    rows = [
        [*(shorten(row[column], 60) for column in table.by), count(people(row)), percent(float(row.get("share") or 0)),
         *(_measure(row.get(f"{measure}_{kind}"), kind) for kind in kinds)]
        for row in table.rows[:MOST_ROWS]
    ]  # fmt: skip
    return {
        "title": f"By {' and '.join(map(words, table.by))}", "head": head, "measures": len(kinds),
        "measure": measure_words(contract), "measure_name": words(measure or ""), "rows": rows, "names": len(table.by),
        "left": max(0, len(table.rows) - MOST_ROWS), "file": f"summary_{'_'.join(table.by)}.csv",
    }  # fmt: skip


def _measure(value: Cell, kind: str) -> str:
    if kind in ("median", "min", "max") and isinstance(value, int | float) and value == value:
        return f"{value:,g}"
    return decimal(value)
