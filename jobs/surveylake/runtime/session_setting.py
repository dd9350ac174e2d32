"""A setting of an open session, for as long as it is needed."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


@contextmanager
def session_setting(spark: "SparkSession", key: str, value: str) -> Iterator[None]:
    """Give the session a setting in the block, and its own again afterwards.

    A query that starts in the block keeps it: Spark copies its session for it.
    """
    own = spark.conf.get(key, None)
    spark.conf.set(key, value)
    try:
        yield
    finally:
        if own is None:
            spark.conf.unset(key)
        else:
            spark.conf.set(key, own)
