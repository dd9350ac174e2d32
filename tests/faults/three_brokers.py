"""Three brokers on one machine that keep three copies of everything, and take a record when two have it."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from confluent_kafka.admin import AdminClient

from surveylake.kafka import embedded_node
from surveylake.kafka.embedded import EmbeddedBroker

COPIES = {
    "default.replication.factor": "3",
    "min.insync.replicas": "2",
    "offsets.topic.replication.factor": "3",
}


def _settings(ports: list[tuple[int, int]], number: int) -> dict[str, str]:
    """Server properties of one of them; `ports` are (for clients, for controllers) of each."""
    client, controller = ports[number]
    voters = ",".join(f"{n}@{embedded_node.LOOPBACK}:{port}" for n, (_, port) in enumerate(ports, 1))
    listeners = (
        f"PLAINTEXT://{embedded_node.LOOPBACK}:{client},CONTROLLER://{embedded_node.LOOPBACK}:{controller}"
    )
    return {"node.id": str(number + 1), "listeners": listeners, "controller.quorum.voters": voters, **COPIES}


@contextmanager
def three_brokers(folder: Path) -> Iterator[list[EmbeddedBroker]]:
    """The three, answering; node ids are 1, 2 and 3 in that order."""
    ports = [(embedded_node.free_port(), embedded_node.free_port()) for _ in range(3)]
    cluster, jars = embedded_node.new_cluster_id(), embedded_node.class_path()
    brokers = []
    for number, (client, controller) in enumerate(ports):
        broker = EmbeddedBroker(folder / f"kafka-{number + 1}", client, extra=_settings(ports, number))
        broker.data.mkdir()
        embedded_node.write_properties(broker.data, client, controller, broker.extra)
        tool = embedded_node.java_command(broker.data, broker.heap, jars, "kafka.tools.StorageTool")
        embedded_node.format_storage(broker.data, cluster, tool)
        brokers.append(broker)
    with ExitStack() as stack, ThreadPoolExecutor(3) as pool:
        for broker in brokers:
            stack.callback(broker.kill)
        # One alone does not answer: two make a quorum.
        list(pool.map(EmbeddedBroker.start, brokers))
        yield brokers


def leader(brokers: list[EmbeddedBroker], topic: str) -> EmbeddedBroker:
    """Which of them leads the topic's partition 0."""
    addresses = ",".join(broker.bootstrap for broker in brokers if broker.running)
    metadata = AdminClient({"bootstrap.servers": addresses}).list_topics(topic, timeout=20)
    return brokers[metadata.topics[topic].partitions[0].leader - 1]
