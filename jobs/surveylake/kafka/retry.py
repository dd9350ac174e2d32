"""Questions to Kafka, asked again while the answer means 'not yet': one mechanism for every question of this project."""

import time
from collections.abc import Callable
from concurrent.futures import TimeoutError as FutureTimeout
from typing import TypeVar

from confluent_kafka import KafkaError, KafkaException

from surveylake.errors import TopicError

ASK_SECONDS = 10.0
"""The longest a question to a cluster that was reached may take."""
LONGEST = ASK_SECONDS + 1
"""How long an answer is waited for here: librdkafka gives its own reason a moment before."""
AGAIN_SECONDS = 30.0
"""How long a question is asked again while the answer is one of SOON."""
PAUSE_SECONDS = 0.1
ELSEWHERE = "Start the broker, or give its address with --bootstrap host:port."
PERMISSION = (
    "Ask whoever runs the cluster: sending needs WRITE and READ on the topic, and CREATE where there is none yet; "
    "reading needs READ, and READ on the consumer_group of [kafka]."
)

RETRIABLE = frozenset({
    2, 3, 5, 6, 7, 9, 13, 14, 15, 16, 19, 20, 41, 51, 56, 70, 71, 72, 74, 75, 78, 80, 83, 84, 88, 89, 100, 103, 106, 122, 123,
    133,
})  # fmt: skip
"""The errors that Kafka's protocol calls retriable, by number. A broker that has just come back answers with several of them:
74 and 75, for one, where it and the asker know different elections of the leader. librdkafka marks none of them as retriable."""
BROKEN_OFF = frozenset({
    KafkaError._TRANSPORT, KafkaError._DESTROY_BROKER, KafkaError._WAIT_COORD, KafkaError._RETRY, KafkaError._WAIT_CACHE,
})  # fmt: skip
"""What librdkafka itself says of a question whose connection ended before the answer, or that was put too early."""
SOON = RETRIABLE | BROKEN_OFF

Answer = TypeVar("Answer")


def asked(ask: Callable[[], Answer], doing: str, hint: str = "", seconds: float = AGAIN_SECONDS) -> Answer:
    """Ask, and ask again for so many seconds while the answer is one of SOON. Returns what `ask` returns.

    `ask` puts the whole question anew each time, and raises KafkaException, or a future's TimeoutError, when it fails.
    Raises TopicError that says what it was `doing` and what the cluster said.
    """
    began = time.monotonic()
    while True:
        try:
            return ask()
        except KafkaException as error:
            refused, so_far = error.args[0], time.monotonic() - began
            if refused.code() not in SOON or so_far >= seconds:
                waited = f", asked again for {so_far:.0f} s" if so_far >= 1 else ""
                raise refusal(refused, f"{doing}{waited}", hint) from error
        except FutureTimeout as error:
            raise TopicError(f"{doing}: no answer within {ASK_SECONDS:.0f} s", ELSEWHERE) from error
        time.sleep(PAUSE_SECONDS)


def passes(error: KafkaError) -> bool:
    """Say whether what a consumer is told instead of a record is one of SOON: for a consumer, polling again is asking again."""
    return error.code() in SOON


def refusal(error: KafkaError, doing: str, hint: str = "") -> TopicError:
    """Return a broker's refusal as an error for people: a missing permission is named as such."""
    said = error.str().removeprefix("Broker: ")
    if "AUTHORIZATION_FAILED" in error.name():
        return TopicError(f"{doing}: this user may not ({said})", PERMISSION)
    return TopicError(f"{doing}: {said}", hint or ELSEWHERE)


def code_of(error: TopicError) -> int | None:
    """Return Kafka's error code behind an error; None when it does not come from Kafka."""
    cause = error.__cause__
    return cause.args[0].code() if isinstance(cause, KafkaException) else None
