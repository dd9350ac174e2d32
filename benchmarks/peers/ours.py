"""surveylake itself: what jobs/stream.py and jobs/aggregate.py do, from the first question to Kafka to the last commit.

Settings of conf/spark-defaults.conf, default configuration, everything on: strict parse, cleaning, derived columns,
verdict, raw bytes, exactly once, and at the end the count of verdicts.
"""

from pathlib import Path

from pyspark.sql import DataFrame
from worker import serve

import aggregate as aggregate_verb
import stream
from surveylake.config import load_config
from surveylake.contract.model import load_contract
from surveylake.kafka.partition_reader import newest_values
from surveylake.kafka.topic import Topic, open_topic
from surveylake.runtime.session import opener
from surveylake.stream.query import kafka_rows
from surveylake.stream.start import Start
from surveylake.validate.layout import learned
from surveylake.validate.pipeline import validated

OPEN = opener("surveylake stream")
ALL = 1_000_000_000
"""Records per micro-batch: one batch, whatever the topic holds."""


def take(bootstrap: str, survey: str, out: str) -> None:
    """The topic into OUT/records."""
    config, contract = load_config().at(bootstrap), load_contract(Path(survey))
    stream.stream(OPEN, out, config, contract, "available-now", process_stays=True)


def take_in_batches(bootstrap: str, survey: str, out: str, most: int) -> None:
    """The same in micro-batches of at most `most` records, which a short trigger would make."""
    config = load_config().at(bootstrap)
    config = config.model_copy(
        update={"stream": config.stream.model_copy(update={"max_offsets_per_trigger": most})}
    )
    stream.stream(OPEN, out, config, load_contract(Path(survey)), "available-now", process_stays=True)


def read(bootstrap: str, survey: str, out: str) -> None:
    """The first stage of `take` alone: the topic's rows, into a sink that drops them. Its checkpoint is OUT."""
    _drop(_rows(_topic(bootstrap, survey)), out)


def judge(bootstrap: str, survey: str, out: str) -> None:
    """The first two stages: parsed, cleaned, derived and judged, in the layout that `take` would learn."""
    topic, contract = _topic(bootstrap, survey), load_contract(Path(survey))
    layout = learned(newest_values(topic, topic.bounds()), contract)
    _drop(validated(_rows(topic), contract, load_config().stream.max_message_bytes, layout), out)


def _topic(bootstrap: str, survey: str) -> Topic:
    return open_topic(load_config().at(bootstrap).kafka, load_contract(Path(survey)).topic)


def _rows(topic: Topic) -> DataFrame:
    return kafka_rows(OPEN(), topic, Start(1, "", "earliest", {}), ALL)


def _drop(rows: DataFrame, checkpoint: str) -> None:
    writer = rows.writeStream.format("noop").option("checkpointLocation", checkpoint)
    writer.trigger(availableNow=True).start().awaitTermination()


def aggregate(survey: str, out: str) -> None:
    """OUT/records into OUT/responses and the summaries."""
    aggregate_verb.aggregate(OPEN, out, load_config(), load_contract(Path(survey)))


if __name__ == "__main__":
    serve(take=take, take_in_batches=take_in_batches, read=read, judge=judge, aggregate=aggregate)
