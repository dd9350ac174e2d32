"""The report's content as plain values for its templates: every word and number is a statement's."""

from typing import Any

from surveylake.aggregate.findings import Findings
from surveylake.contract.model import Contract
from surveylake.export.charts.render import Chart, boxes_note
from surveylake.export.formatting import (
    count,
    in_sentence,
    measure_words,
    number,
    p_value,
    percent,
    shorten,
    words,
)
from surveylake.export.hypothesis_tests import CONFIDENCE, FEWEST_EXPECTED, LEVEL
from surveylake.export.report.provenance import provenance, stages
from surveylake.export.report.tables import table_view
from surveylake.export.statements.hypothesis import ASSUMES
from surveylake.export.statements.model import Report, Statement
from surveylake.lake.tables import Cell

MOST_ROWS = 40
"""lines of a list in the report; the files beside it have all"""
MOST_CARDS = 6
MOST_PARTITIONS = 24
STEPS = {"received": "as received", "accepted": "accepted", "counted": "counted"}


def view(report: Report, findings: Findings, charts: list[Chart]) -> dict[str, Any]:
    """Return the whole report's content; uses `findings` only for the provenance of the numbers."""
    contract = findings.contract
    claim = report.one("claim")
    return {
        "title": contract.title,
        "lead": [statement.text for what in ("people", "replaced") for statement in report.all(what)],
        "warnings": [statement.text for statement in report.all("warning")],
        **_first_question(report, contract),
        "steps": _steps(report, contract),
        "claim": _claim(claim, contract) if claim else None,
        "associations": [_association(report, test) for test in report.all("association")],
        "tested": sum(test.p is not None for test in report.all("association")),
        "association_field": words(contract.hypothesis.field) if contract.hypothesis else "",
        "confidence": f"{CONFIDENCE:.0%}".replace("%", " %"),
        "level": LEVEL,
        "fewest_expected": FEWEST_EXPECTED,
        "charts": charts,
        "boxes": boxes_note(charts),
        "tables": [table_view(table, contract) for table in report.tables()],
        "measure_name": words(contract.summaries.measure or ""),
        "measure": measure_words(contract),
        "rejected": _by_reason(report, "rejected"),
        "blanked": _by_reason(report, "blanked"),
        "unmapped": _spellings(report),
        "stages": stages(findings, len(charts)),
        "provenance": provenance(findings),
        "offsets": findings.offsets[:MOST_PARTITIONS],
        "offsets_left": max(0, len(findings.offsets) - MOST_PARTITIONS),
    }


def _field(contract: Contract) -> str:
    """Return the column of the first question: the hypothesis's, else the charts', else the first that has a table, or ''."""
    if contract.hypothesis:
        return contract.hypothesis.field
    if contract.charts:
        return contract.charts.group
    return next((by[0] for by in contract.summaries.by if len(by) == 1), "")


def _first_question(report: Report, contract: Contract) -> dict[str, Any]:
    """Return one big number per group of the first question, the largest first, and the note below.

    `field` is '' where there is no such question: what has no table is not published.
    """
    claim, field = contract.hypothesis, _field(contract)
    table = report.table(field)
    if table is None:
        return {"field": "", "cards": [], "cards_note": "", "cards_none": ""}
    names = claim.words if claim else {}
    largest = sorted(table.lines, key=lambda line: -int(line.value or 0))
    cards = [
        {"name": shorten(line.groups[0]), "word": shorten(names.get(line.groups[0], line.groups[0])),
         "count": number(line.value), "share": percent(line.share or 0.0)}
        for line in largest[:MOST_CARDS]
    ]  # fmt: skip
    note = [report.all("answered", *table.columns)[0].text, *(line.text for line in table.rest)]
    if left := len(largest) - len(cards):
        note.append(f"{count(left)} more in the tables below")
    return {
        "field": field,
        "cards": cards,
        "cards_note": "; ".join(note) + "." if cards else "",
        "cards_none": table.headline.text,
    }


def _steps(report: Report, contract: Contract) -> dict[str, Any] | None:
    """Return how many of each group were received, accepted and counted; None without `received_by` in the contract."""
    group, lines = contract.summaries.received_by, report.all("as received")
    if not group or not lines:
        return None
    numbers = [(line, [line.value, line.more["accepted"], line.more["counted"]]) for line in lines]
    rows = [[_received_name(line, group), *map(_few, steps)] for line, steps in numbers]
    differ = [line.text for line, steps in numbers if len(set(steps)) > 1 and not line.rule]
    return {
        "field": words(group),
        "rows": rows[:MOST_ROWS],
        "differ": "; ".join(differ[:MOST_CARDS]),
        "steps": list(STEPS.values()),
    }


def _received_name(line: Statement, column: str) -> str:
    return shorten(line.groups[0], 60) if line.groups else f"without {words(column)}"


def _claim(claim: Statement, contract: Contract) -> dict[str, Any]:
    hypothesis = contract.hypothesis
    assert hypothesis is not None
    more, less = (
        in_sentence(hypothesis.words.get(name, name), 22) for name in (hypothesis.more, hypothesis.less)
    )
    is_tested = claim.share is not None
    return {
        "text": hypothesis.claim,
        "conclusion": claim.more["conclusion"],
        "headline": claim.text,
        "numbers": claim.more.get("numbers", ""),
        "meaning": claim.more.get("meaning", ""),
        "share": claim.share,
        "low": claim.more.get("low"),
        "share_text": percent(claim.share or 0.0) if is_tested else "",
        "low_text": percent(float(claim.more["low"] or 0)) if is_tested else "",
        "more": more,
        "less": less,
        "caveat": hypothesis.caveat,
        "assumes": ASSUMES,
    }


def _association(report: Report, test: Statement) -> dict[str, str]:
    headline = report.one("headline", *test.columns)
    more = test.more
    return {
        "outcome": words(test.columns[1]),
        "largest_difference": _largest_difference(headline),
        "method": test.test or "",
        "n": number(test.n),
        "statistic": "–"
        if more.get("statistic") is None
        else f"{float(more['statistic'] or 0):.2f} ({more['degrees']})",
        "p": _p(test.p, test.rule),
        "p_holm": _p(more.get("p_holm"), test.rule),
        "v": "–" if more.get("v") is None else f"{float(more['v'] or 0):.2f}",
        "reading": test.text,
        "note": test.rule or "",
        "differs": "yes" if more["conclusion"] == "differs" else "",
    }


def _largest_difference(headline: Statement | None) -> str:
    """Return where the shares differ most, if two groups can be compared."""
    if headline is None or not headline.base:
        return ""
    if len(headline.groups) < 3:
        return "not shown: too few people in some cells"
    return headline.text if headline.more["whole"] else f"of what is shown, {headline.text}"


def _p(p: Cell, rule: str | None) -> str:
    if p is None:
        return "not said" if rule else "–"
    return p_value(float(p)).removeprefix("p = ").removeprefix("p ")


def _spellings(report: Report) -> list[dict[str, Any]]:
    """Return the fields with spellings that the contract does not list: those to name, and how many others there are."""
    few = {line.columns[0]: line.text for line in report.all("few spellings")}
    named: dict[str, list[str]] = {column: [] for column in few}
    for line in report.all("spelling"):
        named.setdefault(line.columns[0], []).append(line.text)
    return [
        {
            "field": words(column),
            "spellings": texts[:MOST_ROWS],
            "left": max(0, len(texts) - MOST_ROWS),
            "few": few.get(column, ""),
        }
        for column, texts in sorted(named.items())
    ]


def _by_reason(report: Report, what: str) -> list[dict[str, str]]:
    """Return a reason, in words too, and the number of records or answers, of each statement of a kind."""
    return [
        {"reason": shorten(line.groups[0], 60), "words": line.text, "number": number(line.value)}
        for line in report.all(what)
    ]


def _few(value: Cell) -> str:
    return "few" if value is None else count(float(value))
