"""The Spark job of the documentation: from_json, cast, writeStream to Delta, all defaults.

It keeps no raw bytes and no coordinates, judges nothing, and takes malformed messages for empty ones.
"""

from collections.abc import Sequence

import stock_spark
from pyspark.sql import functions as F
from worker import serve

SCHEMA = "Participant_ID STRING, Gender STRING, Nationality STRING, Age STRING, Food STRING, Juice STRING, Dessert STRING"
NUMBERS = ("Age",)


def take(
    bootstrap: str, topic: str, out: str, schema: str = SCHEMA, numbers: Sequence[str] = NUMBERS
) -> None:
    """The topic into the Delta table OUT/table; `numbers` are the fields that become integers."""
    spark = stock_spark.session()
    messages = (
        spark.readStream.format("kafka")
        .option("kafka.bootstrap.servers", bootstrap)
        .option("subscribe", topic)
        .option("startingOffsets", "earliest")
        .load()
    )
    answers = (
        messages.select(F.from_json(F.col("value").cast("string"), schema).alias("answer"))
        .select("answer.*")
        .withColumns({name: F.col(name).cast("int") for name in numbers})
    )
    query = (
        answers.writeStream.format("delta")
        .option("checkpointLocation", f"{out}/checkpoint")
        .trigger(availableNow=True)
        .start(f"{out}/table")
    )
    query.awaitTermination()


if __name__ == "__main__":
    serve(take=take)
