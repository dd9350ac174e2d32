"""Kafka's timestamps as `records` keep them: a time of the years 1900 to 9999, or NULL; and those that Spark stops at.

Kafka takes any 64-bit number for milliseconds since 1970, -1 for no time at all. A program that stamps in microseconds is in the
year 58,000, which Spark holds and other readers cannot show; one that stamps in nanoseconds is beyond what Spark can hold.
"""

import re

from surveylake import wording

FIRST_MS, END_MS = -2_208_988_800_000, 253_402_300_800_000
"""from 1900-01-01, until 10000-01-01: what every reader shows alike"""
NO_TIME = -1
MOST_MS = 9_000_000_000_000_000
"""Spark counts in microseconds, and its Kafka source fails a little above this: somewhat early is no harm."""
SAID = re.compile(r"partition (\d+) offset (\d+) has timestamp value (-?\d+)")
"""Of the message of Spark's error KAFKA_MALFORMED_RECORD_TIMESTAMP, which comes before that of the overflow behind it."""


class Misstamped(Exception):  # noqa: N818 - the name says what the record is
    """Spark stopped at a record for its timestamp."""

    def __init__(self, partition: int, offset: int, stamp: int) -> None:
        super().__init__(f"partition {partition} offset {offset} is stamped {stamp}")
        self.partition, self.offset, self.stamp = partition, offset, stamp


def misstamped(error: BaseException) -> Misstamped | None:
    """The record that Spark stopped at, when it was its timestamp that it stopped for."""
    for said in wording.causes(error):
        if found := SAID.search(said):
            return Misstamped(*map(int, found.groups()))
    return None


def is_odd(stamp: int) -> bool:
    """Whether Spark would stop at a record for this stamp."""
    return abs(stamp) > MOST_MS


def shown(column: str) -> str:
    """SQL: a timestamp, or NULL where it is no time that can be shown."""
    bounds = f"{column} >= timestamp_millis({FIRST_MS}) AND {column} < timestamp_millis({END_MS})"
    return f"IF({bounds} AND {column} <> timestamp_millis({NO_TIME}), {column}, NULL)"


def of_milliseconds(column: str) -> str:
    """SQL: the timestamp of Kafka's number, or NULL where that is no time that can be shown."""
    bounds = f"{column} >= {FIRST_MS} AND {column} < {END_MS}"
    return f"IF({bounds} AND {column} <> {NO_TIME}, timestamp_millis({column}), NULL)"


def unshown(column: str) -> str:
    """SQL: whether a stored timestamp is NULL, or one that earlier releases took in and not every reader can show."""
    return f"({column} IS NULL OR {column} < timestamp_millis({FIRST_MS}) OR {column} >= timestamp_millis({END_MS}))"
