"""The fault suite: which tests run, what each row saw, and the fixtures that rows share."""

import datetime
import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from faults import rows as fault_rows
from faults.covered_elsewhere import NOT_HERE, Elsewhere
from faults.ledger import Ledger
from faults.plain_query import PlainQuery
from faults.rows import Row
from support.survey_env import SurveyEnv

HERE = Path(__file__).parent
ROW = pytest.StashKey[Row]()
SEEN = pytest.StashKey[list[Row]]()


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--fault-table") and config.getoption("numprocesses", None):
        raise pytest.UsageError("--fault-table is collected in one process: leave out -n")
    config.stash[SEEN] = []
    if config.getoption("--fault-table") and HERE in (Path(arg).resolve() for arg in config.args):
        # The whole table: the rows that tests of other folders cover run too.
        listed = [test for entry in NOT_HERE.values() if isinstance(entry, Elsewhere) for test in entry.tests]
        config.args += [str(HERE.parent / test) for test in dict.fromkeys(listed)]
    config.pluginmanager.register(Reporter(config.stash[SEEN]))


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without --all-faults only the quick ones of this folder run."""
    here = [item for item in items if HERE in item.path.parents]
    for item in here:
        row_of(item)
    if config.getoption("--all-faults"):
        return
    left = [item for item in here if not item.get_closest_marker("quick")]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


def row_of(item: pytest.Item) -> Row | None:
    """Return the row that a test is marked with; None for a test without a row."""
    marker = item.get_closest_marker("fault")
    if marker is None:
        return None
    if ROW not in item.stash:
        (id_,) = marker.args
        about = marker.kwargs
        item.stash[ROW] = Row(
            id_, about["injected"], about["expected"], about.get("stock", False), item.nodeid
        )
        item.config.stash[SEEN].append(item.stash[ROW])
    return item.stash[ROW]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a row that passes without having told what it observed."""
    yield
    row = row_of(item)
    assert row is None or not row.missing, row.missing if row else ""


class Reporter:
    """Records the outcome of every test in its rows, those of other folders too."""

    def __init__(self, seen: list[Row]) -> None:
        self._seen = seen

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        for row in self._rows(report.nodeid):
            row.seconds += report.duration
            if report.when == "call" or not report.passed:
                row.day = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
                row.outcome = outcome(report)

    def _rows(self, test: str) -> list[Row]:
        """Return the rows that a test belongs to; those of tests in other folders are made at their first report."""
        rows = [row for row in self._seen if row.test == test]
        name = test.partition("[")[0].rpartition("/")[2]
        for id_, entry in NOT_HERE.items() if not rows else ():
            if isinstance(entry, Elsewhere) and name in entry.tests:
                rows.append(Row(id_, entry.injected, entry.expected, False, test))
                rows[-1].observed(name.partition("::test_")[2].replace("_", " "))
                self._seen.append(rows[-1])
        return rows


def outcome(report: pytest.TestReport) -> str:
    """Return how a test ended: passed, failed, or `skipped: why`."""
    if not isinstance(report.longrepr, tuple):
        return report.outcome
    return f"skipped: {fault_rows.masked(report.longrepr[2].removeprefix('Skipped: '))}"


def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    ran = [row for row in config.stash[SEEN] if row.outcome]
    if config.getoption("--fault-table") and ran:
        fault_rows.write(ran)


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Row:
    """The row that this test is marked with, to be told what was observed."""
    marked = row_of(request.node)
    assert marked is not None, "a test that asks for `row` is marked with @pytest.mark.fault(…)"
    return marked


@pytest.fixture
def env(broker: str, spark: SparkSession, tmp_path: Path, request: pytest.FixtureRequest) -> SurveyEnv:
    """An env whose topic has one partition, so that a test can name the offsets that are lost."""
    return SurveyEnv(f"T{zlib.crc32(request.node.nodeid.encode())}", broker, tmp_path, partitions=1)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """The ledger of acknowledged records."""
    return Ledger(tmp_path / "acks.jsonl")


@pytest.fixture
def plain_query(spark: SparkSession, env: SurveyEnv) -> PlainQuery:
    """The plain query on this test's topic, with a table and a checkpoint of its own."""
    return PlainQuery(spark, env.folder / "stock", env.bootstrap, env.topic)
