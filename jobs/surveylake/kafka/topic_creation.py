"""Making a survey's topic, so that its records are kept for ever."""

import logging
import time

from confluent_kafka import KafkaError
from confluent_kafka.admin import AdminClient, NewTopic

from surveylake.config import Kafka
from surveylake.contract.topic_name import taken_for, wrong_with
from surveylake.errors import ConfigError, TopicError
from surveylake.kafka.connection import connect
from surveylake.kafka.retry import ASK_SECONDS, LONGEST, PERMISSION, asked, code_of
from surveylake.kafka.topic import Topic, require_visible

log = logging.getLogger(__name__)
KEEP_FOR_EVER = {"retention.ms": "-1", "cleanup.policy": "delete"}
"""A survey must not expire or be compacted behind its owner's back: the brokers' own default deletes after 7 days."""


def create_topic(kafka: Kafka, name: str) -> tuple[Topic, bool]:
    """Make the topic as the conf file says, unless it exists. Returns it, and whether it is new.

    Warns of an existing topic that lets its records expire. Raises ConfigError when Kafka takes no topic of such a name,
    TopicError when it cannot be made.
    """
    if wrong := wrong_with(name):
        raise ConfigError(
            f"topic {name[:60]!r}: {wrong}", "Correct topic in the contract, or the name given with --topic."
        )
    admin, metadata = connect(kafka)
    topic = Topic(kafka, name, admin)
    if name in metadata.topics:
        _warn_if_records_expire(topic)
        return topic, False
    if other := taken_for(name, metadata.topics):
        raise TopicError(
            f"topic {name} cannot be made at {kafka.bootstrap}: topic {other} is there, and to Kafka '.' and '_' are one",
            f'If {other} is meant, write topic = "{other}" in the contract; if not, another name.',
        )
    new = NewTopic(name, kafka.partitions, kafka.replication, config=KEEP_FOR_EVER)
    doing = f"creating topic {name} with {kafka.partitions} partitions, replication {kafka.replication}"
    try:
        asked(lambda: admin.create_topics([new], operation_timeout=ASK_SECONDS)[name].result(LONGEST), doing,
              "Change partitions or replication in [kafka], or ask whoever runs the cluster.")  # fmt: skip
    except TopicError as error:
        if code_of(error) == KafkaError.TOPIC_AUTHORIZATION_FAILED:
            raise TopicError(
                f"topic {name} is not there, or not for this user to see, and this user may not CREATE it",
                PERMISSION,
            ) from error
        if code_of(error) != KafkaError.TOPIC_ALREADY_EXISTS:
            raise
        return topic, False
    require_visible(admin, name)
    _wait_for_leaders(admin, name)
    return topic, True


def _wait_for_leaders(admin: AdminClient, topic: str) -> None:
    """Wait until every partition of a created topic can be written: the controller knows of it first."""
    deadline = time.monotonic() + ASK_SECONDS
    while time.monotonic() < deadline:
        metadata = asked(lambda: admin.list_topics(timeout=ASK_SECONDS), f"asking for topic {topic}")
        listed = metadata.topics.get(topic)
        if listed and listed.partitions and all(part.leader >= 0 for part in listed.partitions.values()):
            return
        time.sleep(0.05)
    raise TopicError(
        f"topic {topic} was created, but has no leader after {ASK_SECONDS:.0f} s",
        "Look at the brokers' logs.",
    )


def _warn_if_records_expire(topic: Topic) -> None:
    """Warn of retention by time or size, and of compaction, as far as this user may ask for the settings."""
    try:
        settings = topic.settings()
    except TopicError:
        return
    policy, hours = settings.get("cleanup.policy", ""), int(settings.get("retention.ms", -1)) / 3_600_000
    if "delete" in policy and hours >= 0:
        log.warning("note: topic %s deletes records older than %.1f hours (retention.ms)", topic.name, hours)
    if "delete" in policy and int(settings["retention.bytes"]) >= 0:
        log.warning("note: topic %s deletes its oldest records past a size (retention.bytes)", topic.name)
    if "compact" in policy:
        log.warning("note: topic %s is compacted: of records with one key it keeps only the last", topic.name)
