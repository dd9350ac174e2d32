"""Where the report's numbers are from: the way of the data, what was rejected on it, and the versions."""

from typing import Any

from surveylake import __version__
from surveylake.findings import Findings
from surveylake.labels import NOT_GIVEN, count, plural, shorten, words
from surveylake.reasons import in_words

MOST_SPELLINGS = 60


def rejected(findings: Findings) -> list[dict[str, str]]:
    """Reasons with their number of records, most frequent first; never a record's content."""
    ordered = sorted(findings.rejected_by_rule.items(), key=lambda item: (-item[1], item[0]))
    return [
        {"reason": shorten(rule, 60), "words": in_words(rule, findings.contract), "records": count(n)}
        for rule, n in ordered
    ]


def unmapped(findings: Findings) -> list[dict[str, Any]]:
    """Fields with the spellings that their declared map does not know."""
    return [
        {"field": words(field), "spellings": [shorten(text, 60) for text in spellings[:MOST_SPELLINGS]],
         "left": max(0, len(spellings) - MOST_SPELLINGS)}
        for field, spellings in sorted(findings.unmapped.items()) if spellings
    ]  # fmt: skip


def stages(findings: Findings, charts: int, smallest_group: int) -> list[dict[str, Any]]:
    """The way of the data, for the picture: name, big line, small lines."""
    partitions = len({(part.topic, part.epoch, part.partition) for part in findings.offsets})
    contract = findings.contract
    merged = f"under {smallest_group} are merged"
    return [
        {"name": "CSV", "big": "answers", "lines": ["one per line"]},
        {"name": "Kafka topic", "big": shorten(contract.topic, 14),
         "lines": [plural(sum(part.records for part in findings.offsets), "record"), plural(partitions, "partition")]},
        {"name": "records", "big": f"{count(findings.received)} received",
         "lines": [f"{count(findings.accepted)} accepted", f"{count(findings.rejected)} rejected"]},
        {"name": "responses", "big": plural(findings.responses, "person", "people"),
         "lines": ["the latest accepted", f"per {shorten(contract.key, 16)}"]},
        {"name": "summaries", "big": plural(len(findings.summaries), "table"),
         "lines": [merged, f"from version {findings.version}"]},
        {"name": "report", "big": plural(charts, "chart"), "lines": ["CSV, this page", "and a manifest"]},
    ]  # fmt: skip


def provenance(findings: Findings, smallest_group: int) -> list[tuple[str, str]]:
    """What the numbers were made from, as (name, value)."""
    rule = (
        f"groups under {smallest_group} people are merged into 'Other'"
        if smallest_group > 1
        else "none: every group is published"
    )
    return [
        ("Table", f"records, version {findings.version}"),
        ("Survey", f"{findings.contract.name}, contract sha256 {findings.contract.fingerprint}"),
        ("Smallest group", rule),
        ("Not given", f"a group called '{NOT_GIVEN}' is of people without an answer there"),
        ("Made by", f"surveylake {__version__}"),
    ]
