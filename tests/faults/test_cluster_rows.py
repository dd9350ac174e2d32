"""J: several machines. A real standalone cluster, its broker and its lake's store, each with an address of its own."""

import platform
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import psutil
import pytest
from pyspark.sql import SparkSession

from faults.cluster_lake import JOB_SECONDS, LIMIT, ClusterLake, outcome
from faults.ledger import Ledger
from faults.rows import Row
from faults.soak import paced
from faults.store_proxy import StoreProxy
from support.driver import Driver
from support.netns import Machine
from support.standalone import STORE, WORKERS, Standalone, standalone
from support.survey_env import SurveyEnv, answers
from support.waiting import until
from surveylake.errors import StorageError

pytestmark = [pytest.mark.cluster, pytest.mark.slow]
COUNT = 6 * LIMIT
PART_SECONDS = 60
REFUSALS = 2


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory, kept_classes: None) -> Iterator[Standalone]:
    with standalone(tmp_path_factory.mktemp("machines")) as running:
        yield running


@pytest.fixture
def lake(cluster: Standalone, spark: SparkSession, ledger: Ledger, tmp_path: Path, row: Row) -> ClusterLake:
    """A topic with a backlog of several micro-batches."""
    return lake_of(cluster, spark, ledger, tmp_path, row)


def lake_of(
    cluster: Standalone, spark: SparkSession, ledger: Ledger, folder: Path, row: Row, endpoint: str = ""
) -> ClusterLake:
    env = SurveyEnv(row.id.lower(), cluster.for_host, folder, partitions=2, insecure=True)
    ledger.send(env.bootstrap, env.topic, answers(COUNT))
    return ClusterLake(cluster, spark, env, ledger, endpoint)


@pytest.mark.fault(
    "J1",
    injected="a worker and its executors killed with SIGKILL in mid-batch",
    expected="the driver goes on with the other worker",
    stock=True,
)
def test_a_worker_is_killed(lake: ClusterLake, row: Row) -> None:
    worker = lake.cluster.network[WORKERS[0]]
    with lake.stream("driver") as ours, lake.plain("elsewhere") as plain:
        lake.until_in_batch(2, ours, plain)
        assert len(executors(worker)) == 2, "both jobs have an executor there"
        worker.kill()
        try:
            assert ours.wait(JOB_SECONDS) == 0, ours.said
            row.plain_query(f"{outcome(plain)}: {lake.counted()}")
        finally:
            lake.cluster.start_worker(WORKERS[0])
    lake.assert_proved()
    row.observed(f"it goes on: {lake.all_once()}")


@pytest.mark.fault(
    "J2",
    injected="the driver killed with SIGKILL in mid-batch, and started on another machine",
    expected="the other one goes on where the table ends",
    stock=True,
)
def test_a_driver_is_killed_and_started_elsewhere(lake: ClusterLake, row: Row) -> None:
    with lake.stream("driver") as ours, lake.plain("driver") as plain:
        lake.until_in_batch(2, ours=ours)
        ours.kill()
        assert 0 < len(lake.places()) < COUNT
        lake.until_in_batch(2, plain=plain)
        plain.kill()
    with lake.stream("elsewhere") as ours, lake.plain("elsewhere") as plain:
        assert ours.wait(JOB_SECONDS) == 0, ours.said
        row.plain_query(f"{outcome(plain)}: {lake.counted()}")
    lake.assert_proved()
    row.observed(f"the other one goes on: {lake.all_once()}")


@pytest.mark.fault(
    "J3",
    injected=f"nothing passes between driver and store for {PART_SECONDS} s in mid-batch, connections open; workers reach both",
    expected="the stream waits, or ends with a message that names the store; every record once",
    stock=True,
)
def test_a_driver_cut_off_from_the_store(lake: ClusterLake, row: Row) -> None:
    parted = lake.cluster.network.parted
    with lake.stream("driver") as ours, lake.plain("elsewhere") as plain:
        lake.until_in_batch(2, ours, plain)
        with parted("driver", STORE), parted("elsewhere", STORE):
            time.sleep(PART_SECONDS)
        row.observed(_went_on(lake, ours))
        row.plain_query(f"{outcome(plain)}: {lake.counted()}")
    lake.assert_proved()


@pytest.mark.fault(
    "J4",
    injected="a second driver on another machine on the same lake while the first one commits",
    expected="one goes on, the other stops and names it",
    stock=True,
)
def test_two_drivers_at_once(lake: ClusterLake, row: Row) -> None:
    over, every_second = Event(), ("--trigger", "1 seconds")
    with ThreadPoolExecutor(1) as pool, lake.stream("driver", *every_second) as first:
        lake.until_in_batch(2, first)
        more = paced(iter(answers(100_000, start=COUNT)), 20, over)
        sending = pool.submit(lake.ledger.send, lake.env.bootstrap, lake.env.topic, more)
        try:
            with lake.stream("elsewhere", *every_second) as second:
                code = first.wait(JOB_SECONDS)
                over.set()
                sending.result()
                assert not second.ended, second.said
                name = f"stream.py on {platform.node()} (process {second.python()})"
                until(lambda: len(lake.places()) >= lake.ledger.settled, JOB_SECONDS)
                second.terminate()
                assert second.wait(JOB_SECONDS) == 0, second.said
        finally:
            over.set()
    said = next(line for line in first.said.splitlines() if line.startswith("error: "))
    assert (code, name in said) == (StorageError.exit_code, True), first.said
    lake.assert_proved()
    row.observed(
        f"the second goes on, {lake.all_once()}; the first: exit {code}: {said.removeprefix('error: ')}"
    )
    with lake.plain("driver") as one, lake.plain("elsewhere") as other:
        row.plain_query(f"one: {outcome(one)}; the other: {outcome(other)}; {lake.counted()}")


@pytest.mark.fault(
    "J5",
    injected="the store killed with SIGKILL in mid-batch, and started again",
    expected="the stream waits, or ends with a message that names the store; every record once",
    stock=True,
)
def test_the_store_is_killed(lake: ClusterLake, row: Row) -> None:
    with lake.stream("driver") as ours, lake.plain("elsewhere") as plain:
        lake.until_in_batch(2, ours, plain)
        lake.cluster.server.kill()
        lake.cluster.server.start()
        row.observed(_went_on(lake, ours))
        row.plain_query(f"{outcome(plain)}: {lake.counted()}")
    lake.assert_proved()


@pytest.mark.fault(
    "J6",
    injected=f"a store that answers the first {REFUSALS} requests of each kind with 503, as many commits after it has made them, "
    "and all others 100 ms late",
    expected="slower, and complete",
    stock=True,
)
def test_a_busy_and_slow_store(
    cluster: Standalone, spark: SparkSession, ledger: Ledger, tmp_path: Path, row: Row
) -> None:
    with StoreProxy(cluster.network.host, cluster.store.address, cluster.store.port) as proxy:
        lake = lake_of(cluster, spark, ledger, tmp_path, row, proxy.endpoint)
        with lake.stream("driver") as ours, lake.plain("elsewhere") as plain:
            lake.until_in_batch(2, ours, plain)
            proxy.refusals, proxy.delay = REFUSALS, 0.1
            assert ours.wait(JOB_SECONDS) == 0, ours.said
            row.plain_query(f"{outcome(plain)}: {lake.counted()}")
    assert proxy.lost >= REFUSALS, proxy.refused
    assert sum(proxy.refused.values()) > 4 * REFUSALS, proxy.refused
    lake.assert_proved()
    row.observed(f"it goes on: {lake.all_once()}")


def executors(worker: Machine) -> list[psutil.Process]:
    """The executors that run on a worker's machine."""
    return [
        one
        for one in worker.processes()
        if any("CoarseGrainedExecutorBackend" in word for word in one.cmdline())
    ]


def _went_on(lake: ClusterLake, ours: Driver) -> str:
    """How our stream got over a store that was away: by itself, or by the next run after an end that names the store."""
    code, then = ours.wait(JOB_SECONDS), "it waits and goes on"
    if code:
        said = next(line for line in ours.said.splitlines() if line.startswith("error: "))
        assert (code, lake.cluster.store.settings.endpoint in said) == (StorageError.exit_code, True), (
            ours.said
        )
        then = f"exit {code}: {said.removeprefix('error: ')}; the next run goes on"
        with lake.stream("elsewhere") as again:
            assert again.wait(JOB_SECONDS) == 0, again.said
    return f"{then}: {lake.all_once()}"
