"""Three brokers on one machine that keep three copies of everything, and take a record when two have it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from confluent_kafka.admin import AdminClient

from surveylake import kraft
from surveylake.broker import EmbeddedBroker

COPIES = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
}


def _settings(ports: list[tuple[int, int]], number: int) -> dict[str, str]:
    """Server properties of one of them; `ports` are (for clients, for controllers) of each."""
    client, controller = ports[number]
    voters = ",".join(f"{n}@{kraft.LOOPBACK}:{port}" for n, (_, port) in enumerate(ports, 1))
    listeners = f"PLAINTEXT://{kraft.LOOPBACK}:{client},CONTROLLER://{kraft.LOOPBACK}:{controller}"
    return {"node.id": str(number + 1), "listeners": listeners, "controller.quorum.voters": voters, **COPIES}


@contextmanager
def three_brokers(folder: Path) -> Iterator[list[EmbeddedBroker]]:
    """The three, answering; node ids are 1, 2 and 3 in that order."""
    ports = [(kraft.free_port(), kraft.free_port()) for _ in range(3)]
    cluster, jars = kraft.new_cluster_id(), kraft.class_path()
    found = []
    for number, (client, controller) in enumerate(ports):
        broker = EmbeddedBroker(folder / f"kafka-{number + 1}", client, extra=_settings(ports, number))
        broker.data.mkdir()
        kraft.write_properties(broker.data, client, controller, broker.extra)
        tool = kraft.java_command(broker.data, broker.heap, jars, "kafka.tools.StorageTool")
        kraft.format_storage(broker.data, cluster, tool)
        found.append(broker)
    with ExitStack() as stack, ThreadPoolExecutor(3) as pool:
        for broker in found:
            stack.callback(broker.kill)
        # One alone does not answer: two make a quorum.
        list(pool.map(EmbeddedBroker.start, found))
        yield found


def leader(brokers: list[EmbeddedBroker], topic: str) -> EmbeddedBroker:
    """Which of them leads the topic's partition 0."""
    addresses = ",".join(broker.bootstrap for broker in brokers if broker.running)
    seen = AdminClient({"bootstrap.servers": addresses}).list_topics(topic, timeout=20)
    return brokers[seen.topics[topic].partitions[0].leader - 1]
