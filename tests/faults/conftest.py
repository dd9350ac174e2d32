"""The fault suite: which tests run, what each row saw, and the fixtures that rows share."""

import zlib
from collections.abc import Generator, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from faults import rows as fault_rows
from faults.covered_elsewhere import NOT_HERE, Elsewhere
from faults.ledger import Ledger
from faults.plain_query import PlainQuery
from faults.reporter import TOLD, Reporter
from faults.rows import Row
from support.survey_env import SurveyEnv

HERE = Path(__file__).parent
ROW = pytest.StashKey[Row]()
REPORTER = pytest.StashKey[Reporter]()


def pytest_configure(config: pytest.Config) -> None:
    if config.getoption("--fault-table") and HERE in (Path(arg).resolve() for arg in config.args):
        # The whole table: the rows that tests of other folders cover run too.
        listed = [test for entry in NOT_HERE.values() if isinstance(entry, Elsewhere) for test in entry.tests]
        config.args += [str(HERE.parent / test) for test in dict.fromkeys(listed)]
    config.stash[REPORTER] = Reporter()
    config.pluginmanager.register(config.stash[REPORTER])


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
    return item.stash[ROW]


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Iterator[None]:
    """Fail a row that passes without having told what it observed."""
    yield
    row = row_of(item)
    assert row is None or not row.missing, row.missing if row else ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Have a test's report carry what it observed so far."""
    report = yield
    if row := row_of(item):
        report.user_properties = [*report.user_properties, (TOLD, asdict(row))]
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    is_worker = hasattr(config, "workerinput")
    if config.getoption("--fault-table") and not is_worker and (ran := config.stash[REPORTER].ran()):
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
