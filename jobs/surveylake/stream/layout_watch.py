"""Which layout the messages of a topic have, learned at the start of a query and again when most of them have another."""

import logging
import time
from collections.abc import Sequence
from dataclasses import replace

from surveylake.contract.model import Contract
from surveylake.validate.layout import canonical, fits, learned

log = logging.getLogger(__name__)
LOOK_SECONDS = 30.0
"""from one look at the newest messages to the next"""
FEW = 0.5
"""Below this share of messages in the present layout another one is tried."""


class LayoutWatch:
    """The layout that a query is made for, and whether it still is the messages'."""

    def __init__(self, contract: Contract) -> None:
        self._contract = contract
        self.layout = canonical(contract)
        self._looked = time.monotonic()

    def learn(self, newest: Sequence[bytes]) -> None:
        """Take the layout that most of these values have."""
        self.layout = learned(newest, self._contract)
        self._looked = time.monotonic()
        own = canonical(self._contract)
        if replace(self.layout, gaps=own.gaps) != own or not {*self.layout.gaps} <= {*own.gaps}:
            log.info("the messages have a layout of their own, which is read without parsing")

    def is_due(self) -> bool:
        """Return whether it is time to look at the newest messages again."""
        return time.monotonic() - self._looked > LOOK_SECONDS

    def has_changed(self, newest: Sequence[bytes]) -> bool:
        """Return whether another layout would fit more of these values, of which few have the present one."""
        self._looked = time.monotonic()
        present = sum(fits(value, self.layout) for value in newest)
        if present >= FEW * len(newest):
            return False
        other = learned(newest, self._contract)
        return sum(fits(value, other) for value in newest) > present
