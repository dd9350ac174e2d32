"""The one door to Kafka for questions: one topic of a cluster, asked over one connection."""

import difflib
from dataclasses import dataclass

from confluent_kafka import IsolationLevel, KafkaException, TopicCollection, TopicPartition
from confluent_kafka.admin import (
    AdminClient,
    ClusterMetadata,
    ConfigResource,
    OffsetSpec,
    ResourceType,
    TopicDescription,
)

from surveylake.config import Kafka
from surveylake.contract.topic_name import taken_for
from surveylake.errors import TopicError, TopicMissingError
from surveylake.kafka.connection import connect
from surveylake.kafka.consumer_group import write_offsets
from surveylake.kafka.retry import AGAIN_SECONDS, ASK_SECONDS, LONGEST, PERMISSION, asked

PING_SECONDS = 1.0
"""How long an open connection may take for its first answer, before the cluster is connected to anew."""
LARGEST_BATCH = 1_000_000
"""Bytes: the brokers' default of `max.message.bytes`, rounded down."""
Bounds = dict[int, tuple[int, int]]
"""Partition -> (first offset kept, next offset to be written)."""


@dataclass(frozen=True)
class TopicIdentity:
    """Which topic this is: a topic deleted and made anew under its old name has another `topic_id`."""

    cluster_id: str
    topic_id: str
    name: str
    partitions: int

    @property
    def pin(self) -> str:
        """`cluster id/topic id`, as a property of the table `records` holds it."""
        return f"{self.cluster_id}/{self.topic_id}"


class Topic:
    """A topic of a cluster that has answered. Every question goes over the connection that it was opened with.

    Each question raises TopicMissingError when the topic is gone, and TopicError when the cluster does not answer.
    """

    def __init__(self, kafka: Kafka, name: str, admin: AdminClient) -> None:
        self.kafka, self.name = kafka, name
        self._admin = admin

    def identify(self) -> TopicIdentity:
        """Return the topic's identity now. Raises TopicError when this user may not read it: a stream would fail much later."""
        self._require_listed()
        description = self._describe()
        self._require_rights(description, "READ")
        cluster = asked(
            lambda: self._admin.describe_cluster(request_timeout=ASK_SECONDS).result(LONGEST),
            "asking the cluster for its id",
        )
        return TopicIdentity(
            str(cluster.cluster_id), str(description.topic_id), self.name, len(description.partitions)
        )

    def require_rights(self, *operations: str) -> None:
        """Raise TopicError that names what this user may not do with the topic, of what is asked for."""
        self._require_rights(self._describe(), *operations)

    def _require_rights(self, description: TopicDescription, *operations: str) -> None:
        """Check the rights in a description; a broker that does not tell them is taken to allow all."""
        known = description.authorized_operations
        allowed = {operation.name for operation in known} if known else set(operations)
        if missing := [operation for operation in operations if operation not in allowed]:
            raise TopicError(f"this user may not {' and '.join(missing)} topic {self.name}", PERMISSION)

    def bounds(self, committed: bool = True) -> Bounds:
        """Return partition -> (first offset kept, next offset to be written).

        With `committed` the second is the last stable offset: a reader of committed records gets no further while a
        transaction is open.
        """
        self._require_listed()
        partitions = [TopicPartition(self.name, part.id) for part in self._describe().partitions]
        level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
        first, end = (
            self._offsets(dict.fromkeys(partitions, spec), level)
            for spec in (OffsetSpec.earliest(), OffsetSpec.latest())
        )
        return {partition: (first[partition], end[partition]) for partition in sorted(first)}

    def open_transactions(self) -> Bounds:
        """Return partition -> (first offset that waits, next offset to be written), where a transaction is open.

        No reader of committed records gets past it until it ends.
        """
        stable, written = self.bounds(), self.bounds(committed=False)
        return {part: (stable[part][1], end) for part, (_, end) in written.items() if end > stable[part][1]}

    def settings(self) -> dict[str, str]:
        """Return the topic's settings. Raises TopicError when this user may not read them: sending needs no such right."""
        resource = ConfigResource(ResourceType.TOPIC, self.name)
        entries = asked(
            lambda: self._admin.describe_configs([resource])[resource].result(LONGEST),
            f"asking for the settings of {self.name}",
        )
        return {name: str(entry.value) for name, entry in entries.items()}

    def largest_batch(self) -> int:
        """Return the bytes that the topic takes at once, and so in one record; the brokers' default where it may not be asked."""
        try:
            return int(self.settings().get("max.message.bytes", LARGEST_BATCH))
        except TopicError:
            return LARGEST_BATCH

    def commit_group(self, group: str, offsets: dict[int, int]) -> None:
        """Write `offsets` (partition -> next offset to read) into a consumer group, for tools that show lag."""
        write_offsets(self._admin, group, self.name, offsets)

    def _require_listed(self) -> None:
        """Raise TopicMissingError when the cluster does not list the topic.

        'Not found' is final here; as the answer to a later question it means 'not yet'.
        """
        try:
            metadata = self._admin.list_topics(timeout=PING_SECONDS)
        except KafkaException:
            # Connecting anew either works or says in one line why not.
            self._admin, metadata = connect(self.kafka)
        require_listed(self._admin, metadata, self.name, self.kafka.bootstrap)

    def _describe(self) -> TopicDescription:
        return describe(self._admin, self.name)

    def _offsets(self, wanted: dict[TopicPartition, OffsetSpec], level: IsolationLevel) -> dict[int, int]:
        """Return partition -> offset."""

        def ask() -> dict[int, int]:
            answers = self._admin.list_offsets(wanted, isolation_level=level, request_timeout=ASK_SECONDS)
            return {part.partition: answer.result(LONGEST).offset for part, answer in answers.items()}

        return asked(ask, f"asking for the offsets of {self.name}")


def open_topic(kafka: Kafka, name: str, seconds: float = ASK_SECONDS) -> Topic:
    """Connect to the cluster and return its topic; nothing is created.

    Raises TopicMissingError when there is none, and TopicError that names the cause when no answer comes within `seconds`.
    """
    admin, metadata = connect(kafka, seconds)
    require_listed(admin, metadata, name, kafka.bootstrap)
    return Topic(kafka, name, admin)


def describe(admin: AdminClient, topic: str, seconds: float = AGAIN_SECONDS) -> TopicDescription:
    """Return the cluster's description of a topic."""

    def ask() -> TopicDescription:
        answers = admin.describe_topics(
            TopicCollection([topic]), include_authorized_operations=True, request_timeout=ASK_SECONDS
        )
        description: TopicDescription = answers[topic].result(LONGEST)
        return description

    return asked(ask, f"asking for topic {topic}", "Create it, or correct the name.", seconds)


def require_listed(admin: AdminClient, metadata: ClusterMetadata, topic: str, bootstrap: str) -> None:
    """Raise TopicMissingError, with near names, when the cluster does not list the topic; TopicError when it may not be seen."""
    if topic in metadata.topics:
        return
    require_visible(admin, topic)
    names = [name for name in metadata.topics if not name.startswith("__")]
    raise _missing(topic, bootstrap, names)


def require_visible(admin: AdminClient, topic: str) -> None:
    """Raise TopicError when this user may not see the topic, which the cluster lists to nobody who may not."""
    try:
        describe(admin, topic, seconds=0)
    except TopicError as error:
        if "may not" in error.message:
            raise TopicError(
                f"asking for topic {topic}: this user may not DESCRIBE it, and so neither READ nor WRITE it",
                PERMISSION,
            ) from error


def _missing(topic: str, bootstrap: str, names: list[str]) -> TopicMissingError:
    """Return 'not found' with the names that are near it."""
    if other := taken_for(topic, names):
        return TopicMissingError(
            f"topic {topic} not found at {bootstrap}; topic {other} is there, and differs in '.' and '_' only",
            f'Write topic = "{other}" in the contract: Kafka makes no {topic} beside it.',
        )
    folded = {name.lower(): name for name in sorted(names)}
    near = [folded[name] for name in difflib.get_close_matches(topic.lower(), folded, n=3, cutoff=0.5)]
    like = f"; topics like it: {', '.join(near)}" if near else f" ({len(names)} topics there, none like it)"
    return TopicMissingError(
        f"topic {topic} not found at {bootstrap}{like}",
        "Send something first (jobs/produce.py), or correct it.",
    )
