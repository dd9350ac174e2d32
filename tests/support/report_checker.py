"""Says what is wrong with a published report, from the raw CSV and the contract's facts alone: pandas and scipy, no product code.

checker_facts.py judges the answers anew; each other checker_….py recomputes one part of what report.json and its files say.
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
    """Return everything that the report in `folder` says and that the rows of the CSV do not; and what it need not hide, or must."""
    said, facts = read(folder), facts_of(survey, rows)
    return [fault for part in PARTS for fault in part.faults(said, facts)]
