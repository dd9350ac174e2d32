"""Offsets taken, mirrored into a Kafka consumer group: lag tools look there. Nothing here reads them back."""

from confluent_kafka import ConsumerGroupTopicPartitions, KafkaException, TopicPartition
from confluent_kafka.admin import AdminClient

from surveylake.kafka.retry import ASK_SECONDS, LONGEST, asked


def write_offsets(admin: AdminClient, group: str, topic: str, offsets: dict[int, int]) -> None:
    """Write `offsets` (partition -> next offset to read) into a consumer group, for tools that show lag.

    Raises TopicError when the cluster refuses, as it does while a consumer is running in that group.
    """
    if not offsets:
        return
    wish = ConsumerGroupTopicPartitions(
        group, [TopicPartition(topic, part, offset) for part, offset in offsets.items()]
    )

    def ask() -> None:
        answer = admin.alter_consumer_group_offsets([wish], request_timeout=ASK_SECONDS)[group]
        for part in answer.result(LONGEST).topic_partitions or []:
            if part.error is not None:
                raise KafkaException(part.error)

    asked(
        ask,
        f"writing offsets of {topic} into consumer group {group}",
        "A consumer may be running in it: choose another consumer_group in [kafka].",
    )
