"""The original exercise as it was written: KafkaConsumer, one data frame per message, one concat, to_numeric, groupby."""

import json
import warnings
from typing import Any

import pandas as pd
from worker import serve

with warnings.catch_warnings():
    # kafka-python reads its own schemas by a way that Python 3.11 and 3.12 call outdated.
    warnings.simplefilter("ignore", DeprecationWarning)
    from kafka import KafkaConsumer


def count(bootstrap: str, topic: str, rows: int) -> dict[str, Any]:
    """The first `rows` messages of the topic, down to the mean age by gender. It would hold them all in memory."""
    consumer = KafkaConsumer(
        topic,
        bootstrap_servers=bootstrap,
        auto_offset_reset="earliest",
        value_deserializer=lambda value: json.loads(value.decode("utf-8")),
    )
    frames = []
    for message in consumer:
        frames.append(pd.json_normalize(message.value))
        if len(frames) == rows:
            break
    consumer.close()
    answers = pd.concat(frames, ignore_index=True)
    answers["Age"] = pd.to_numeric(answers["Age"], errors="coerce")
    means = answers.groupby("Gender")["Age"].mean()
    return {"rows": len(answers), "groups": len(means)}


if __name__ == "__main__":
    serve(count=count)
