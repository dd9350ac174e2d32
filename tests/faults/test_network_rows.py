"""B4, B5 and B10: what happens between the driver and the broker, and between brokers."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event

import pytest
from confluent_kafka.admin import AdminClient, NewTopic
from pyspark.sql import SparkSession

from faults import readers
from faults.damage import commit_file
from faults.ledger import Ledger
from faults.proxy import Proxy
from faults.rows import Row
from faults.scenario import assert_complete
from faults.soak import paced
from faults.three_brokers import leader, three_brokers
from support.survey_env import SurveyEnv, answers
from support.waiting import until
from surveylake.kafka.embedded import EmbeddedBroker
from surveylake.kafka.embedded_node import LOOPBACK, free_port

COUNT, BATCH = 600, 100
PART_SECONDS = 60


@pytest.fixture
def proxy() -> Iterator[Proxy]:
    with Proxy(free_port()) as running:
        yield running


@pytest.fixture
def proxied_env(proxy: Proxy, spark: SparkSession, tmp_path: Path) -> Iterator[SurveyEnv]:
    """A lake whose broker is reached through the proxy alone: it advertises the proxy's address."""
    address = f"{LOOPBACK}:{proxy.port}"
    extra = {"advertised.listeners": f"PLAINTEXT://{address}"}
    with EmbeddedBroker(tmp_path / "kafka", proxy.target, extra=extra):
        env = SurveyEnv("far", address, tmp_path, partitions=1)
        env.set_stream(max_offsets_per_trigger=BATCH)
        yield env


@pytest.mark.slow
@pytest.mark.fault(
    "B4",
    injected="200 ms for every packet, and connections broken in the middle of a fetch, again and again",
    expected="slow, and complete",
)
def test_a_slow_and_broken_network(proxied_env: SurveyEnv, proxy: Proxy, row: Row, ledger: Ledger) -> None:
    ledger.send(proxied_env.bootstrap, proxied_env.topic, answers(COUNT))
    proxy.delay = 0.2
    over = Event()

    def break_now_and_then() -> None:
        until(commit_file(proxied_env.lake / "records", 1).is_file)
        while not over.wait(3):
            proxy.reset()

    with ThreadPoolExecutor(1) as pool:
        breaking = pool.submit(break_now_and_then)
        try:
            proxied_env.take()
        finally:
            over.set()
        breaking.result()
    proxy.delay = 0
    assert proxy.broken > 0
    assert_complete(proxied_env, ledger)
    row.observed(f"{COUNT} of {COUNT}, each once, in one run")


@pytest.mark.slow
@pytest.mark.fault(
    "B5",
    injected=f"nothing passes between driver and broker for {PART_SECONDS} s, connections open",
    expected="the stream waits, or ends with a message; every record once",
)
def test_a_driver_cut_off_from_its_broker(
    proxied_env: SurveyEnv, proxy: Proxy, row: Row, ledger: Ledger
) -> None:
    ledger.send(proxied_env.bootstrap, proxied_env.topic, answers(COUNT))

    def part() -> None:
        until(commit_file(proxied_env.lake / "records", 2).is_file)
        proxy.silence()
        time.sleep(PART_SECONDS)
        proxy.speak()

    with ThreadPoolExecutor(1) as pool:
        parted = pool.submit(part)
        proxied_env.take()
        parted.result()
    assert_complete(proxied_env, ledger)
    row.observed(f"the stream waits and goes on: {COUNT} of {COUNT}, each once, in one run")


@pytest.mark.slow
@pytest.mark.fault(
    "B10",
    injected="three brokers, two copies needed: the leader killed while records are sent, then a second one",
    expected="what was acknowledged is there; with one left nothing is acknowledged",
)
def test_brokers_that_die_one_after_the_other(
    spark: SparkSession, row: Row, ledger: Ledger, tmp_path: Path
) -> None:
    with three_brokers(tmp_path) as brokers, ThreadPoolExecutor(1) as pool:
        addresses = ",".join(broker.bootstrap for broker in brokers)
        admin = AdminClient({"bootstrap.servers": addresses})
        admin.create_topics([NewTopic("copied", 1, 3)])["copied"].result(30)
        sending = pool.submit(ledger.send, addresses, "copied", paced(iter(answers(COUNT)), BATCH, Event()))
        until(lambda: ledger.settled > BATCH)
        first = leader(brokers, "copied")
        first.kill()
        assert sending.result() == COUNT
        second = next(broker for broker in brokers if broker.running)
        second.kill()
        more = ledger.send(addresses, "copied", answers(10, start=COUNT), **{"message.timeout.ms": 5_000})
        assert more == 0
        list(pool.map(EmbeddedBroker.start, [first, second]))
        env = SurveyEnv("copied", addresses, tmp_path)
        env.take()
    assert readers.missing(ledger, env.lake) == []
    places = [place[:2] for place in readers.stored(env.lake)]
    assert COUNT <= len(places) == len(set(places)) <= COUNT + 10
    row.observed(
        f"leader killed: {COUNT} of {COUNT} acknowledged; with one left 0 of 10; then all {COUNT}, each once"
    )
