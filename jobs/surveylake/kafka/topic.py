"""The one door to Kafka for questions: is the topic there, which one is it, from where to where does it reach."""

import difflib
import logging
import time
from dataclasses import dataclass

from confluent_kafka import (
    IsolationLevel,
    KafkaError,
    TopicCollection,
    TopicPartition,
)
from confluent_kafka.admin import (
    AclOperation,
    AdminClient,
    ClusterMetadata,
    ConfigResource,
    NewTopic,
    OffsetSpec,
    ResourceType,
    TopicDescription,
)

from surveylake.config import Kafka
from surveylake.contract.topic_name import taken_for, wrong_with
from surveylake.errors import ConfigError, TopicError
from surveylake.kafka.connection import connect
from surveylake.kafka.consumer_group import commit_group
from surveylake.kafka.options import client_options, spark_options
from surveylake.kafka.retry import AGAIN_SECONDS, ASK_SECONDS, LONGEST, PERMISSION, asked, code_of

__all__ = [
    "TopicIdentity",
    "client_options",
    "commit_group",
    "create_topic",
    "largest_batch",
    "offset_bounds",
    "open_transactions",
    "preflight",
    "spark_options",
]
log = logging.getLogger(__name__)

KEEP_FOR_EVER = {"retention.ms": "-1", "cleanup.policy": "delete"}
"""A survey must not expire or be compacted behind its owner's back: the brokers' own default deletes after 7 days."""


@dataclass(frozen=True)
class TopicIdentity:
    """Which topic this is: a topic deleted and made anew under its old name has another `topic_id`."""

    cluster_id: str
    topic_id: str
    name: str
    partitions: int


def preflight(kafka: Kafka, topic: str, seconds: float = ASK_SECONDS) -> TopicIdentity:
    """The identity of a topic that may be read, or within about `seconds` a TopicError that names the cause.

    Nothing is created. Without READ a stream would fail much later, and not say why.
    """
    admin, metadata = connect(kafka, seconds)
    _require_topic(admin, metadata, topic, kafka.bootstrap)
    found = _describe(admin, topic)
    if AclOperation.READ not in (found.authorized_operations or [AclOperation.READ]):
        raise TopicError(f"this user may not READ topic {topic}", PERMISSION)
    cluster = asked(
        lambda: admin.describe_cluster(request_timeout=ASK_SECONDS).result(LONGEST),
        "asking the cluster for its id",
    )
    return TopicIdentity(str(cluster.cluster_id), str(found.topic_id), topic, len(found.partitions))


def create_topic(kafka: Kafka, topic: str) -> bool:
    """Make the topic as the conf file says, its records kept for ever; False when it was there.

    A topic that was there and lets its records expire is warned of. ConfigError when Kafka takes no topic of such a name,
    TopicError when it cannot be made.
    """
    if wrong := wrong_with(topic):
        raise ConfigError(
            f"topic {topic[:60]!r}: {wrong}", "Correct topic in the contract, or the name given with --topic."
        )
    admin, metadata = connect(kafka)
    if topic in metadata.topics:
        _warn_if_it_forgets(admin, topic)
        return False
    if other := taken_for(topic, metadata.topics):
        raise TopicError(
            f"topic {topic} cannot be made at {kafka.bootstrap}: topic {other} is there, and to Kafka '.' and '_' are one",
            f'If {other} is meant, write topic = "{other}" in the contract; if not, another name.',
        )
    wish = NewTopic(topic, kafka.partitions, kafka.replication, config=KEEP_FOR_EVER)
    doing = f"creating topic {topic} with {kafka.partitions} partitions, replication {kafka.replication}"
    try:
        asked(lambda: admin.create_topics([wish], operation_timeout=ASK_SECONDS)[topic].result(LONGEST), doing,
              "Change partitions or replication in [kafka], or ask whoever runs the cluster.")  # fmt: skip
    except TopicError as error:
        if code_of(error) != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
        return False
    _wait_for_leaders(admin, topic)
    return True


def largest_batch(kafka: Kafka, topic: str) -> int:
    """Bytes that the topic takes at once, and so in one record; the brokers' usual 1,000,000 when it may not be asked."""
    admin, _ = connect(kafka)
    return int(_settings(admin, topic).get("max.message.bytes", 1_000_000))


def offset_bounds(kafka: Kafka, topic: str, committed: bool = True) -> dict[int, tuple[int, int]]:
    """Partition -> (first offset kept, next offset to be written).

    With `committed` the second is the last stable offset: a reader of committed records gets no further while a
    transaction is open. TopicError when the topic is missing or the cluster does not answer.
    """
    admin, metadata = connect(kafka)
    _require_topic(admin, metadata, topic, kafka.bootstrap)
    partitions = [TopicPartition(topic, part.id) for part in _describe(admin, topic).partitions]
    level = IsolationLevel.READ_COMMITTED if committed else IsolationLevel.READ_UNCOMMITTED
    first, end = (
        _offsets(admin, dict.fromkeys(partitions, spec), level, topic)
        for spec in (OffsetSpec.earliest(), OffsetSpec.latest())
    )
    return {partition: (first[partition], end[partition]) for partition in sorted(first)}


def _offsets(
    admin: AdminClient, wanted: dict[TopicPartition, OffsetSpec], level: IsolationLevel, topic: str
) -> dict[int, int]:
    """Partition -> offset."""

    def ask() -> dict[int, int]:
        answers = admin.list_offsets(wanted, isolation_level=level, request_timeout=ASK_SECONDS)
        return {part.partition: answer.result(LONGEST).offset for part, answer in answers.items()}

    return asked(ask, f"asking for the offsets of {topic}")


def open_transactions(kafka: Kafka, topic: str) -> dict[int, tuple[int, int]]:
    """Partition -> (first offset that waits, next offset to be written), where a transaction is open: no reader of
    committed records gets past it until it ends. TopicError as in `offset_bounds`."""
    stable, written = offset_bounds(kafka, topic), offset_bounds(kafka, topic, committed=False)
    return {part: (stable[part][1], end) for part, (_, end) in written.items() if end > stable[part][1]}


def _describe(admin: AdminClient, topic: str, seconds: float = AGAIN_SECONDS) -> TopicDescription:
    def ask() -> TopicDescription:
        answers = admin.describe_topics(
            TopicCollection([topic]), include_authorized_operations=True, request_timeout=ASK_SECONDS
        )
        found: TopicDescription = answers[topic].result(LONGEST)
        return found

    return asked(ask, f"asking for topic {topic}", "Create it, or correct the name.", seconds)


def _require_topic(admin: AdminClient, metadata: ClusterMetadata, topic: str, bootstrap: str) -> None:
    """TopicError when the cluster does not list the topic: 'not found' is final here, and afterwards it means 'not yet'."""
    if topic not in metadata.topics:
        names = [name for name in metadata.topics if not name.startswith("__")]
        raise _not_found(admin, topic, bootstrap, names)


def _not_found(admin: AdminClient, topic: str, bootstrap: str, names: list[str]) -> TopicError:
    """'Not found' with near names; or that it is there and this user may not see it."""
    try:
        _describe(admin, topic, seconds=0)
    except TopicError as error:
        if "may not" in error.message:
            return error
    if other := taken_for(topic, names):
        return TopicError(
            f"topic {topic} not found at {bootstrap}; topic {other} is there, and differs in '.' and '_' only",
            f'Write topic = "{other}" in the contract: Kafka makes no {topic} beside it.',
        )
    folded = {name.lower(): name for name in sorted(names)}
    near = [folded[name] for name in difflib.get_close_matches(topic.lower(), folded, n=3, cutoff=0.5)]
    like = f"; topics like it: {', '.join(near)}" if near else f" ({len(names)} topics there, none like it)"
    return TopicError(
        f"topic {topic} not found at {bootstrap}{like}",
        "Send something first (jobs/produce.py), or correct it.",
    )


def _wait_for_leaders(admin: AdminClient, topic: str) -> None:
    """A created topic is known to the controller first; wait until every partition can be written."""
    deadline = time.monotonic() + ASK_SECONDS
    while time.monotonic() < deadline:
        known = asked(lambda: admin.list_topics(timeout=ASK_SECONDS), f"asking for topic {topic}")
        found = known.topics.get(topic)
        if found and found.partitions and all(part.leader >= 0 for part in found.partitions.values()):
            return
        time.sleep(0.05)
    raise TopicError(
        f"topic {topic} was created, but has no leader after {ASK_SECONDS:.0f} s",
        "Look at the brokers' logs.",
    )


def _settings(admin: AdminClient, topic: str) -> dict[str, str]:
    """The topic's settings; empty when this user may not read them, which needs a permission that sending does not."""
    resource = ConfigResource(ResourceType.TOPIC, topic)
    try:
        found = asked(
            lambda: admin.describe_configs([resource])[resource].result(LONGEST),
            f"asking for the settings of {topic}",
        )
    except TopicError:
        return {}
    return {name: str(entry.value) for name, entry in found.items()}


def _warn_if_it_forgets(admin: AdminClient, topic: str) -> None:
    settings = _settings(admin, topic)
    policy, hours = settings.get("cleanup.policy", ""), int(settings.get("retention.ms", -1)) / 3_600_000
    if "delete" in policy and hours >= 0:
        log.warning("note: topic %s deletes records older than %.1f hours (retention.ms)", topic, hours)
    if "delete" in policy and int(settings["retention.bytes"]) >= 0:
        log.warning("note: topic %s deletes its oldest records past a size (retention.bytes)", topic)
    if "compact" in policy:
        log.warning("note: topic %s is compacted: of records with one key it keeps only the last", topic)
