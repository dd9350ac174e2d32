"""The fault suite: which tests run, what each row saw, and the fixtures that rows share."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from faults import rows
from faults.ledger import Ledger
from faults.rows import Row
from faults.stock import Stock
from town import Town

HERE = Path(__file__).parent
ROW = pytest.StashKey[Row]()
SEEN = pytest.StashKey[list[Row]]()


def pytest_configure(config: pytest.Config) -> None:
    config.stash[SEEN] = []


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Without --all-faults only the quick ones of this folder run."""
    if config.getoption("--all-faults"):
        return
    left = [i for i in items if HERE in i.path.parents and not i.get_closest_marker("quick")]
    config.hook.pytest_deselected(items=left)
    items[:] = [item for item in items if item not in left]


def row_of(item: pytest.Item) -> Row | None:
    """The row that a test is marked with; made at the first asking."""
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
    """A row that passes without having said what it saw does not pass."""
    yield
    row = row_of(item)
    assert row is None or not row.missing, row.missing if row else ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    report = yield
    row = row_of(item)
    if row is not None and (report.when == "call" or not report.passed):
        why = report.longrepr[2].removeprefix("Skipped: ") if report.skipped else ""
        row.outcome = f"skipped: {rows.masked(why)}" if why else report.outcome
    return report


def pytest_sessionfinish(session: pytest.Session) -> None:
    config = session.config
    ran = [row for row in config.stash[SEEN] if row.outcome]
    if config.getoption("--fault-table") and ran:
        rows.write(ran)


@pytest.fixture
def row(request: pytest.FixtureRequest) -> Row:
    """The row that this test is marked with: tell it what was seen."""
    found = row_of(request.node)
    assert found is not None, "a test that asks for `row` is marked with @pytest.mark.fault(…)"
    return found


@pytest.fixture
def town(broker: str, spark: SparkSession, tmp_path: Path, request: pytest.FixtureRequest) -> Town:
    """A town whose topic has one partition, so that a test can say which offsets are lost."""
    return Town(f"T{zlib.crc32(request.node.nodeid.encode())}", broker, tmp_path, partitions=1)


@pytest.fixture
def ledger(tmp_path: Path) -> Ledger:
    """What was acknowledged, on disk."""
    return Ledger(tmp_path / "acks.jsonl")


@pytest.fixture
def stock(spark: SparkSession, town: Town) -> Stock:
    """The plain query on this test's topic, with a table and a checkpoint of its own."""
    return Stock(spark, town.folder / "stock", town.bootstrap, town.topic)
