"""Checks of the topic: whether it is the one that the table was read from, and its records beyond the table."""

from typing import TypeAlias

from surveylake.config import Kafka
from surveylake.errors import TopicError
from surveylake.verify.broker import Broker, reach
from surveylake.verify.checks import NOT_PROVED, PROVED, SAID, Check
from surveylake.wording import counted, examples

BrokerAnswer: TypeAlias = tuple[Broker | None, Check]
"""The topic and its check, or None and the check that says why it was not asked."""
OTHER_TOPIC = (
    "Give the broker that the lake was read from (--bootstrap); "
    "if the topic was made anew, see --accept-new-topic of jobs/stream.py."
)
SHORT = "The broker lost data: restore it before anything is sent or read again."
EXPIRED = (
    "Restore them if you can; else jobs/stream.py --accept-loss goes on, and the table records the ranges."
)


def ask(kafka: Kafka, name: str) -> BrokerAnswer:
    """Return the topic where it answers, else why it does not."""
    try:
        return reach(kafka, name), Check("broker", name, SAID, "answers")
    except TopicError as error:
        detail = f"not asked, so neither lag nor the topic's identity is known: {error.message}"
        return None, Check("broker", name, SAID, detail)


def same_topic(asked: BrokerAnswer, pinned: str, epoch: int) -> BrokerAnswer:
    """Return the broker if its topic is the one that the table was read from; any other cannot tell about the table.

    `pinned` is the epoch's 'cluster id/topic id' by the table.
    """
    broker, check = asked
    if broker is None:
        return None, check
    identity, where = broker.identity.pin, broker.identity.name
    if identity == pinned:
        return broker, Check("identity", where, PROVED, f"cluster id and topic id are those of epoch {epoch}")
    detail = (
        f"epoch {epoch} is of cluster id/topic id {pinned}, {broker.topic.kafka.bootstrap} has {identity}"
    )
    return None, Check("identity", where, NOT_PROVED, detail, OTHER_TOPIC)


def lag(broker: Broker, ends: dict[int, int]) -> Check:
    """Check that the topic still has what the table lacks: that is lag, as long as the broker keeps it.

    `ends` is partition -> the offset at which the stream goes on.
    """
    where, bounds = broker.identity.name, broker.kept
    behind = [(p, end) for p, end in sorted(ends.items()) if bounds.get(p, (0, 0))[1] < end]
    if behind:
        named = [f"partition {p} ends at {bounds.get(p, (0, 0))[1]}, the table at {end}" for p, end in behind]
        detail = f"the topic is shorter than what was read from it: {examples(named)}"
        return Check("topic", where, NOT_PROVED, detail, SHORT)
    if expired := [
        f"partition {p}: {ends[p]} to {bounds[p][0] - 1}" for p in sorted(ends) if bounds[p][0] > ends[p]
    ]:
        detail = f"offsets expired before they were taken in, {examples(expired)}"
        return Check("topic", where, NOT_PROVED, detail, EXPIRED)
    ahead = {p: end - ends.get(p, first) for p, (first, end) in bounds.items()}
    beyond = examples([f"partition {p}: {n:,}" for p, n in ahead.items() if n])
    total = f"{counted(sum(ahead.values()), 'offset')} not taken in yet"
    return Check("lag", where, SAID, f"{total} ({beyond})" if beyond else total)
