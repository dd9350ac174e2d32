"""The rows of a run, collected from its tests' reports: with several workers these are all that one process is sent."""

import datetime
from collections.abc import Iterator

import pytest

from faults import rows as fault_rows
from faults.covered_elsewhere import NOT_HERE, Elsewhere
from faults.rows import Row

TOLD = "fault"
"""The property of a test's report that is its row."""


class Reporter:
    """Records the outcome of every test in its rows, those of other folders too."""

    def __init__(self) -> None:
        self._seen: dict[tuple[str, str], Row] = {}
        """by test and row"""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for told in self._rows(report):
            row = self._seen.setdefault((told.test, told.id), told)
            row.seen, row.plain_query_seen = told.seen, told.plain_query_seen
            row.seconds += report.duration
            if report.when == "call" or not report.passed:
                row.day = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
                row.outcome = outcome(report)

    def ran(self) -> list[Row]:
        """Return the rows of all tests that ran."""
        return [row for row in self._seen.values() if row.outcome]

    def _rows(self, report: pytest.TestReport) -> Iterator[Row]:
        """Yield the rows that a test belongs to, as it is after this report."""
        told = [about for name, about in report.user_properties if name == TOLD]
        yield from (Row(**about) for about in told)
        name = report.nodeid.partition("[")[0].partition("/")[2]
        for id_, entry in NOT_HERE.items() if not told else ():
            if isinstance(entry, Elsewhere) and name in entry.tests:
                row = Row(id_, entry.injected, entry.expected, False, report.nodeid)
                row.observed(name.partition("::test_")[2].replace("_", " "))
                yield row


def outcome(report: pytest.TestReport) -> str:
    """Return how a test ended: passed, failed, or `skipped: why`."""
    if not isinstance(report.longrepr, tuple):
        return report.outcome
    return f"skipped: {fault_rows.masked(report.longrepr[2].removeprefix('Skipped: '))}"
