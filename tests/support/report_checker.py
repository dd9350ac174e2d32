"""Checks a published report against the raw CSV and the contract's facts alone: pandas and scipy, no product code.

checker_facts.py validates the answers independently; each other checker_….py recomputes one part of report.json and its files.
"""

from collections.abc import Sequence
from pathlib import Path

from support import (
    checker_charts,
    checker_files,
    checker_hypothesis,
    checker_measures,
    checker_survey,
    checker_tables,
    checker_words,
)
from support.checker_facts import Row, Survey, facts_of
from support.checker_statements import read

PARTS = (
    checker_survey, checker_tables, checker_measures, checker_hypothesis, checker_words, checker_charts, checker_files,
)  # fmt: skip


def faults(survey: Survey, rows: Sequence[Row], folder: Path) -> list[str]:
    """Return every fault of the report in `folder`: wrong statements, and what it hides without need or must hide."""
    report, facts = read(folder), facts_of(survey, rows)
    return [fault for part in PARTS for fault in part.faults(report, facts)]
