"""Offsets taken, mirrored into a Kafka consumer group: lag tools look there. Nothing here reads them back."""

import time

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaError, KafkaException, TopicPartition

from surveylake.config import Kafka
from surveylake.connection import ASK_SECONDS, answer_of, code_of, connect, refusal
from surveylake.errors import TopicError

SETTLING = (
    KafkaError.NOT_COORDINATOR,
    KafkaError.COORDINATOR_NOT_AVAILABLE,
    KafkaError.COORDINATOR_LOAD_IN_PROGRESS,
)
"""Said of a consumer group whose coordinator is just being chosen, as after a broker's start; it passes."""


def commit_group(kafka: Kafka, group: str, topic: str, offsets: dict[int, int]) -> None:
    """Write `offsets` (partition -> next offset to read) into a consumer group, for tools that show lag.

    TopicError when the cluster refuses, as it does while a consumer is running in that group.
    """
    if not offsets:
        return
    admin, _ = connect(kafka)
    wish = ConsumerGroupTopicPartitions(
        group, [TopicPartition(topic, part, offset) for part, offset in offsets.items()]
    )
    doing = f"writing offsets of {topic} into consumer group {group}"
    deadline = time.monotonic() + ASK_SECONDS
    while True:
        try:
            asked = admin.alter_consumer_group_offsets([wish], request_timeout=ASK_SECONDS)[group]
            done = answer_of(
                asked, doing, "A consumer may be running in it: choose another consumer_group in [kafka]."
            )
            for part in done.topic_partitions or []:
                if part.error is not None:
                    raise refusal(part.error, doing) from KafkaException(part.error)
            return
        except TopicError as error:
            if code_of(error) not in SETTLING or time.monotonic() > deadline:
                raise
            time.sleep(0.1)
