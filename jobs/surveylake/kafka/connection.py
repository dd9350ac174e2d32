"""Reaching a Kafka cluster within seconds, or saying in one line why not."""

import logging
import re
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable
from typing import Any

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ClusterMetadata

from surveylake.config import Kafka
from surveylake.errors import TopicError
from surveylake.kafka.credentials import PASSWORD_VARIABLE
from surveylake.kafka.options import client_options, require_encrypted
from surveylake.kafka.retry import ASK_SECONDS, ELSEWHERE
from surveylake.runtime import process_log

CLIENT_LOG = logging.getLogger("surveylake.librdkafka")
CLIENT_LOG.addHandler(logging.NullHandler())
CLIENT_LOG.propagate = False
PROTOCOL = (
    "Set security.protocol in [kafka.options] to what this listener speaks (PLAINTEXT, SSL or SASL_SSL)."
)
CREDENTIALS = f"Check sasl.mechanism and sasl.username in [kafka.options], and {PASSWORD_VARIABLE}."
CERTIFICATE = "Check ssl.ca.location in [kafka.options], and that the certificate names the host of the bootstrap address."


def quiet_options(kafka: Kafka) -> dict[str, Any]:
    """Return client options whose log goes to a logger of its own: librdkafka would write to stderr, beside our one message.

    With SURVEYLAKE_LOG_LEVEL=debug that is the process's log file, and librdkafka says all that it can.
    """
    options = {**client_options(kafka), "logger": CLIENT_LOG}
    if not process_log.is_debug():
        return options
    process_log.take_all(CLIENT_LOG)
    return {**options, "debug": "all"}


def connect(kafka: Kafka, seconds: float = ASK_SECONDS) -> tuple[AdminClient, ClusterMetadata]:
    """Return an admin client that has answered, and what the cluster holds. Raises TopicError, one message per cause, in time.

    Every broker that the cluster advertises is tried too: one that this machine cannot reach would otherwise show up
    as a silent wait, after the bootstrap address itself has answered. Raises ConfigError when one is on another machine and
    answers would go there unencrypted.
    """
    deadline = time.monotonic() + seconds
    errors: deque[KafkaError] = deque(maxlen=100)
    # By default a new client's first question waits for 50 ms, though its connection stands after two (librdkafka 2.16).
    options: dict[str, Any] = {
        **quiet_options(kafka), "enable.sparse.connections": False, "error_cb": errors.append}  # fmt: skip
    admin = AdminClient(options)
    while True:
        left = deadline - time.monotonic()
        try:
            metadata = admin.list_topics(timeout=min(1.0, max(left, 0.1)))
        except KafkaException:
            admin.poll(0)
            all_down = any(error.code() == KafkaError._ALL_BROKERS_DOWN for error in errors)
            if all_down or left <= 0:
                # librdkafka gives a silent broker up a moment before or after our own 10 s.
                late = time.monotonic() > deadline - 1
                raise _why(kafka.bootstrap, errors, seconds, late) from None
        else:
            admin.poll(0)  # hands on what librdkafka logged
            _require_reachable(kafka.bootstrap, metadata, max(deadline - time.monotonic(), 0.5))
            require_encrypted(kafka, [(str(one.host), str(one.port)) for one in metadata.brokers.values()])
            return admin, metadata


def _why(bootstrap: str, errors: Iterable[KafkaError], seconds: float, late: bool) -> TopicError:
    """Return the cause behind librdkafka's errors, the most telling first. `late` says that the time is over."""
    texts = [re.sub(r" \(after \d+ms.*", "", error.str()) for error in errors]
    for text in texts:
        # A broker that has a number was learnt from the cluster's own answer; the bootstrap address has none.
        if learnt := re.match(r"(?:\w+://)?(\S+)/\d+: (?!.*(?:SASL|SSL))(.*)", text):
            return _advertised(bootstrap, *learnt.groups())
    said = next((text for text in texts if "brokers are down" not in text), "")
    detail = said.partition(": ")[2] or said
    codes = {error.code() for error in errors}
    if KafkaError._AUTHENTICATION in codes:
        return TopicError(f"authentication failed at {bootstrap}: {detail}", CREDENTIALS)
    if "certificate" in said or "verif" in said:
        return TopicError(f"the certificate of {bootstrap} was not accepted: {detail}", CERTIFICATE)
    if KafkaError._SSL in codes or "SSL" in said or "security.protocol" in said:
        return TopicError(f"{bootstrap} answers, but not in the protocol asked for: {detail}", PROTOCOL)
    if KafkaError._RESOLVE in codes:
        return TopicError(f"the host name in {bootstrap} does not resolve", ELSEWHERE)
    if "refused" in said:
        return TopicError(f"nothing listens at {bootstrap}", ELSEWHERE)
    if late and not said:
        # librdkafka may call a broker down that is only silent: the time tells them apart.
        return TopicError(f"{bootstrap} gave no answer that is Kafka's within {seconds:.0f} s",
                          "It hangs, speaks TLS or is not Kafka, or a firewall is between: check the address.")  # fmt: skip
    return TopicError(
        f"{bootstrap} ended the connection: {detail or 'no reason given'}", f"Is it Kafka? {PROTOCOL}"
    )


def _require_reachable(bootstrap: str, metadata: ClusterMetadata, seconds: float) -> None:
    """Raise TopicError when no advertised broker, or not every partition leader, can be connected to from here."""
    failures: dict[int, str] = {}
    names = {number: f"{broker.host}:{broker.port}" for number, broker in metadata.brokers.items()}

    def try_one(number: int, host: str, port: int) -> None:
        try:
            socket.create_connection((host, port), timeout=seconds).close()
            del failures[number]
        except socket.gaierror:
            failures[number] = "does not resolve"
        except OSError as error:
            failures[number] = str(error.strerror or error)

    threads = []
    for number, broker in metadata.brokers.items():
        failures[number] = f"no answer within {seconds:.0f} s"
        threads.append(threading.Thread(target=try_one, args=(number, broker.host, broker.port), daemon=True))
        threads[-1].start()
    end = time.monotonic() + seconds
    for thread in threads:
        thread.join(max(end - time.monotonic(), 0))
    leaders = {part.leader for topic in metadata.topics.values() for part in topic.partitions.values()}
    lost = [number for number in dict(failures) if number in leaders or len(failures) == len(names)]
    if lost:
        raise _advertised(bootstrap, names[lost[0]], failures[lost[0]])


def _advertised(bootstrap: str, name: str, failure: str) -> TopicError:
    what = "does not resolve here" if "resolve" in failure else f"does not connect from here: {failure}"
    return TopicError(f"{bootstrap} answered, but the cluster advertises {name}, which {what}",
                      "Set the broker's advertised.listeners to a name this machine can reach, "
                      "or use the listener that is meant for this side.")  # fmt: skip
