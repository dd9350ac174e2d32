"""Records to be sent, and the report of their delivery."""

from dataclasses import dataclass
from typing import TypeAlias

Record: TypeAlias = tuple[int, int, bytes | None, bytes | None]
"""(row number from 0, line in the file, key, value)"""


@dataclass
class DeliveryReport:
    """Counts of records: sent = acknowledged + failed + unacknowledged."""

    sent: int = 0
    acknowledged: int = 0
    failed: int = 0
    """refused by the broker or by the client"""
    unacknowledged: int = 0
    """neither acknowledged nor refused when the waiting ended"""
    seconds: float = 0.0
    stopped: bool = False
    """whether sending ended before the last row"""

    @property
    def complete(self) -> bool:
        """Whether every row was sent and acknowledged."""
        return not self.stopped and self.acknowledged == self.sent

    def __str__(self) -> str:
        unanswered = f", unanswered {self.unacknowledged:,}" if self.unacknowledged else ""
        rate = self.acknowledged / self.seconds if self.seconds else 0
        return f"sent {self.sent:,}, acknowledged {self.acknowledged:,}, failed {self.failed:,}{unanswered}, {rate:,.0f} rows/s"
