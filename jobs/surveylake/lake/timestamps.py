"""Kafka's timestamps in `records`: a time of the years 1900 to 9999, or NULL; and the timestamps at which Spark fails.

Kafka takes any 64-bit number for milliseconds since 1970, and -1 for no time. A program that stamps in microseconds is in the
year 58,000, which Spark can hold and other readers cannot show. One that stamps in nanoseconds is beyond what Spark can hold.
"""

import re

from surveylake import wording

FIRST_MS, END_MS = -2_208_988_800_000, 253_402_300_800_000
"""from 1900-01-01 until before 10000-01-01: the times that every reader shows alike"""
NO_TIME = -1
MOST_MS = 9_000_000_000_000_000
"""Spark counts in microseconds, and its Kafka source fails a little above this."""
MALFORMED = re.compile(r"partition (\d+) offset (\d+) has timestamp value (-?\d+)")
"""Part of the message of Spark's error KAFKA_MALFORMED_RECORD_TIMESTAMP, whose cause is an overflow."""


class Misstamped(Exception):  # noqa: N818 - the name says what the record is
    """Spark failed at a record because of its timestamp."""

    def __init__(self, partition: int, offset: int, stamp: int) -> None:
        super().__init__(f"partition {partition} offset {offset} is stamped {stamp}")
        self.partition, self.offset, self.stamp = partition, offset, stamp


def misstamped(error: BaseException) -> Misstamped | None:
    """Return the record at whose timestamp Spark failed; None when it failed for another reason."""
    for message in wording.causes(error):
        if match := MALFORMED.search(message):
            return Misstamped(*map(int, match.groups()))
    return None


def is_odd(stamp: int) -> bool:
    """Return whether Spark would fail at a record with this timestamp (ms)."""
    return abs(stamp) > MOST_MS


def shown(column: str) -> str:
    """Return SQL for a timestamp, or NULL where it is no time that every reader can show."""
    bounds = f"{column} >= timestamp_millis({FIRST_MS}) AND {column} < timestamp_millis({END_MS})"
    return f"IF({bounds} AND {column} <> timestamp_millis({NO_TIME}), {column}, NULL)"


def of_milliseconds(column: str) -> str:
    """Return SQL for the timestamp of Kafka's number (ms), or NULL where it is no time that every reader can show."""
    bounds = f"{column} >= {FIRST_MS} AND {column} < {END_MS}"
    return f"IF({bounds} AND {column} <> {NO_TIME}, timestamp_millis({column}), NULL)"


def unshown(column: str) -> str:
    """Return SQL that is true of a stored timestamp that is NULL, or that not every reader can show (of earlier releases)."""
    return f"({column} IS NULL OR {column} < timestamp_millis({FIRST_MS}) OR {column} >= timestamp_millis({END_MS}))"
