"""Which layout the messages of a topic have, learned at the start of a query and again when most of them have another."""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from surveylake.contract.model import Contract
from surveylake.errors import TopicError
from surveylake.kafka.partition_reader import newest_values
from surveylake.kafka.topic import Topic
from surveylake.validate.layout import canonical, fits, learned

log = logging.getLogger(__name__)
LOOK_SECONDS = 30.0
"""from one look at the newest messages to the next"""
MOST_WAITS = 6
"""The wait for the next look doubles so often, while each look finds another layout: a query that starts anew compiles anew."""
FEW = 0.5
"""Below this share of messages in the present layout another one is tried."""


class LayoutWatch:
    """The layout that a query is made for, and whether it still is the messages'."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.layout = canonical(contract)
        self._looked = time.monotonic()
        self._changes = 0
        """looks that found another layout, since one found the present one"""

    def learn(self, newest: Sequence[bytes]) -> None:
        """Take the layout that most of these values have."""
        self.layout = learned(newest, self._contract)
        self._looked = time.monotonic()
        own = canonical(self._contract)
        if replace(self.layout, gaps=own.gaps) != own or not {*self.layout.gaps} <= {*own.gaps}:
            log.info("the messages have a layout of their own, which is read without parsing")

    def is_due(self) -> bool:
        """Return whether it is time to look at the newest messages again."""
        return time.monotonic() - self._looked > LOOK_SECONDS * (1 << min(self._changes, MOST_WAITS))

    def sees_another(self, topic: Topic) -> bool:
        """Return whether it was time to look at the topic's newest messages, and they have another layout.

        It is for speed only: where Kafka does not answer, the query goes on as it is.
        """
        if not self.is_due():
            return False
        try:
            return self.has_changed(newest_values(topic, topic.bounds()))
        except TopicError as error:
            self._looked = time.monotonic()
            log.warning("the newest messages cannot be looked at: %s", error.message)
            return False

    def has_changed(self, newest: Sequence[bytes]) -> bool:
        """Return whether another layout would fit more of these values, of which few have the present one."""
        self._looked = time.monotonic()
        present = sum(fits(value, self.layout) for value in newest)
        if present >= FEW * len(newest):
            self._changes = 0
            return False
        other = learned(newest, self._contract)
        has_changed = sum(fits(value, other) for value in newest) > present
        self._changes += has_changed
        return has_changed
