"""Provenance of the report's numbers: the stages of the data, and the versions."""

from typing import Any

from surveylake import __version__
from surveylake.aggregate.findings import Findings
from surveylake.export.formatting import count, shorten
from surveylake.wording import counted


def stages(findings: Findings, charts: int) -> list[dict[str, Any]]:
    """Return the stages of the data for the picture: name, big line, small lines."""
    partitions = len({(part.topic, part.epoch, part.partition) for part in findings.offsets})
    contract = findings.contract
    unnamed = f"under {findings.smallest_group} not named"
    return [
        {"name": "CSV", "big": "answers", "lines": ["one per line"]},
        {"name": "Kafka topic", "big": shorten(contract.topic, 14),
         "lines": [counted(sum(part.records for part in findings.offsets), "record"), counted(partitions, "partition")]},
        {"name": "records", "big": f"{count(findings.received)} received",
         "lines": [f"{count(findings.accepted)} accepted", f"{count(findings.rejected)} rejected"]},
        {"name": "responses", "big": counted(findings.responses, "person", "people"),
         "lines": ["the latest accepted", f"per {shorten(contract.key, 16)}"]},
        {"name": "summaries", "big": counted(len(findings.summaries), "table"),
         "lines": [unnamed, f"from version {findings.version}"]},
        {"name": "report", "big": counted(charts, "chart"), "lines": ["CSV, this page", "and a manifest"]},
    ]  # fmt: skip


def provenance(findings: Findings) -> list[tuple[str, str]]:
    """Return (name, value) of everything the numbers were made from."""
    smallest = findings.smallest_group
    rule = (
        f"groups of fewer than {smallest} people are not named, and nothing else is said about those people"
        if smallest > 1
        else "none: every group is published"
    )
    return [
        ("Table", f"records, version {findings.version}"),
        ("Survey", f"{findings.contract.name}, contract sha256 {findings.contract.fingerprint}"),
        ("Smallest group", rule),
        ("Shares", "are of the people who answered; who left a question blank is counted beside it"),
        ("Made by", f"surveylake {__version__}"),
    ]
