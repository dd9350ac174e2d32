"""What can be had at most: the topic read and dropped, by Spark with stock settings, by Java's consumer, by confluent-kafka."""

from typing import Any

import stock_spark
from confluent_kafka import Consumer, TopicPartition
from worker import serve

BATCH = 20_000
EAGER = {"fetch.queue.backoff.ms": 10, "queued.min.messages": 1_000_000}
"""As in the loader: by default librdkafka fetches nothing for a second once 100,000 messages wait."""
FETCH_BYTES = 16 * 1024 * 1024
"""Per partition and question to the broker: with the default, 1 MB, the calls from Python would be what is measured."""


def noop(bootstrap: str, topic: str) -> None:
    """Spark: every column of every record, into a sink that drops it."""
    messages = (
        stock_spark.session()
        .read.format("kafka")
        .option("kafka.bootstrap.servers", bootstrap)
        .option("subscribe", topic)
        .option("startingOffsets", "earliest")
        .load()
    )
    messages.write.format("noop").mode("overwrite").save()


def java(bootstrap: str, topic: str) -> dict[str, Any]:
    """Java's KafkaConsumer, of Spark's own jars and in Spark's JVM: polled, and counted."""
    spark = stock_spark.session()
    jvm: Any = spark._jvm
    settings = jvm.java.util.HashMap()
    as_bytes = "org.apache.kafka.common.serialization.ByteArrayDeserializer"
    for key, value in {
        "bootstrap.servers": bootstrap,
        "key.deserializer": as_bytes,
        "value.deserializer": as_bytes,
        "enable.auto.commit": "false",
        "max.poll.records": "20000",
        "max.partition.fetch.bytes": str(FETCH_BYTES),
    }.items():
        settings.put(key, value)
    consumer = jvm.org.apache.kafka.clients.consumer.KafkaConsumer(settings)
    partitions = jvm.java.util.ArrayList()
    for part in consumer.partitionsFor(topic):
        partitions.add(jvm.org.apache.kafka.common.TopicPartition(topic, part.partition()))
    consumer.assign(partitions)
    consumer.seekToBeginning(partitions)
    total = sum(consumer.endOffsets(partitions).values())
    wait, rows = jvm.java.time.Duration.ofMillis(100), 0
    while rows < total:
        found = consumer.poll(wait)
        rows += found.count()
        # What Python may still ask for stays in the JVM: too long for its heap if that were left to Python's collector.
        spark.sparkContext._gateway.detach(found)
    consumer.close()
    return {"rows": rows}


def confluent(bootstrap: str, topic: str) -> dict[str, Any]:
    """confluent-kafka's batches, counted: what a Python client has before it does anything."""
    consumer = Consumer(
        {"bootstrap.servers": bootstrap, "group.id": "limit", "enable.auto.commit": False, **EAGER}
    )
    partitions = consumer.list_topics(topic).topics[topic].partitions
    consumer.assign([TopicPartition(topic, partition, 0) for partition in partitions])
    total = sum(
        consumer.get_watermark_offsets(TopicPartition(topic, partition))[1] for partition in partitions
    )
    rows = 0
    while rows < total:
        rows += len(consumer.consume(min(BATCH, total - rows), timeout=1.0))
    consumer.close()
    return {"rows": rows}


if __name__ == "__main__":
    serve(noop=noop, java=java, confluent=confluent)
