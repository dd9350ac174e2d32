"""Is the topic that answers the one the table was read from, and what does it hold beyond the table?"""

from typing import TypeAlias

from surveylake.config import Kafka
from surveylake.errors import TopicError
from surveylake.verify.broker import Broker, reach
from surveylake.verify.checks import NOT_PROVED, PROVED, SAID, Check
from surveylake.wording import counted, examples

BrokerAnswer: TypeAlias = tuple[Broker | None, Check]
"""The topic, or None and the line that says why it was not asked."""
OTHER_TOPIC = (
    "Give the broker that the lake was read from (--bootstrap); "
    "if the topic was made anew, see --accept-new-topic of jobs/stream.py."
)
SHORT = "The broker lost data: restore it before anything is sent or read again."
EXPIRED = (
    "Restore them if you can; else jobs/stream.py --accept-loss goes on, and the table records the ranges."
)


def ask(kafka: Kafka, name: str) -> BrokerAnswer:
    """The topic where it answers, else why not."""
    try:
        return reach(kafka, name), Check("broker", name, SAID, "answers")
    except TopicError as error:
        said = f"not asked, so neither lag nor the topic's identity is known: {error.message}"
        return None, Check("broker", name, SAID, said)


def same_topic(asked: BrokerAnswer, pinned: str, epoch: int) -> BrokerAnswer:
    """The broker when its topic is the one the table was read from; any other has nothing to say about it."""
    broker, said = asked
    if broker is None:
        return None, said
    identity, where = broker.identity.pin, broker.identity.name
    if identity == pinned:
        return broker, Check("identity", where, PROVED, f"cluster id and topic id are those of epoch {epoch}")
    detail = (
        f"epoch {epoch} is of cluster id/topic id {pinned}, {broker.topic.kafka.bootstrap} has {identity}"
    )
    return None, Check("identity", where, NOT_PROVED, detail, OTHER_TOPIC)


def lag(broker: Broker, ends: dict[int, int]) -> Check:
    """What the topic has beyond the table is not lost: it is to come, as long as the broker keeps it.

    `ends` is partition -> the offset the stream goes on at.
    """
    where, kept = broker.identity.name, broker.kept
    behind = [(p, end) for p, end in sorted(ends.items()) if kept.get(p, (0, 0))[1] < end]
    if behind:
        named = [f"partition {p} ends at {kept.get(p, (0, 0))[1]}, the table at {end}" for p, end in behind]
        said = f"the topic is shorter than what was read from it: {examples(named)}"
        return Check("topic", where, NOT_PROVED, said, SHORT)
    if gone := [
        f"partition {p}: {ends[p]} to {kept[p][0] - 1}" for p in sorted(ends) if kept[p][0] > ends[p]
    ]:
        said = f"offsets expired before they were taken in, {examples(gone)}"
        return Check("topic", where, NOT_PROVED, said, EXPIRED)
    ahead = {p: end - ends.get(p, first) for p, (first, end) in kept.items()}
    beyond = examples([f"partition {p}: {n:,}" for p, n in ahead.items() if n])
    said = f"{counted(sum(ahead.values()), 'offset')} not taken in yet"
    return Check("lag", where, SAID, f"{said} ({beyond})" if beyond else said)
