"""What tests send records with."""

from confluent_kafka import Producer

OPTIONS = {"acks": "all", "max.in.flight": 1}
"""In order and acknowledged, but not idempotent: such a producer waits half a second for its number, and there are some
hundreds of them. A record that is sent twice after all fails a test that counts, and passes none."""


def sender(bootstrap: str) -> Producer:
    """Return a producer to the run's Kafka."""
    return Producer({"bootstrap.servers": bootstrap, **OPTIONS})
