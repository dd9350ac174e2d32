"""What is sent, and what became of it."""

from dataclasses import dataclass
from typing import TypeAlias

Record: TypeAlias = tuple[int, int, bytes | None, bytes | None]
"""(row number from 0, line in the file for messages, key, value)"""


@dataclass
class DeliveryReport:
    """What became of the rows: sent = acknowledged + failed + unanswered."""

    sent: int = 0
    acknowledged: int = 0
    failed: int = 0
    unanswered: int = 0
    seconds: float = 0.0
    stopped: bool = False

    @property
    def complete(self) -> bool:
        """Whether every row was sent and acknowledged."""
        return not self.stopped and self.acknowledged == self.sent

    def __str__(self) -> str:
        lost = f", unanswered {self.unanswered:,}" if self.unanswered else ""
        rate = self.acknowledged / self.seconds if self.seconds else 0
        return f"sent {self.sent:,}, acknowledged {self.acknowledged:,}, failed {self.failed:,}{lost}, {rate:,.0f} rows/s"
