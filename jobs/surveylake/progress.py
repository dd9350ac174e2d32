"""Progress of a long step: a bar on a terminal, elsewhere a line every few seconds; and where the seconds of a run went."""

import logging
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tqdm import tqdm

log = logging.getLogger(__name__)
LINE_EVERY_SECONDS = 5.0


class Progress:
    """Rows of one step, counted and shown; `total` is None when it is unknown."""

    def __init__(self, doing: str, total: int | None) -> None:
        self.doing, self.total, self.done = doing, total, 0
        self._started = self._last = time.monotonic()
        self._bar = (
            tqdm(desc=doing, total=total, unit=" rows", unit_scale=True, leave=False)
            if sys.stderr.isatty()
            else None
        )

    def add(self, rows: int) -> None:
        """Count `rows` more."""
        self.done += rows
        if self._bar is not None:
            self._bar.update(rows)
        elif (now := time.monotonic()) - self._last >= LINE_EVERY_SECONDS:
            self._last = now
            of = f" of {self.total:,}" if self.total is not None else ""
            log.info(
                "%s: %s%s rows, %s rows/s",
                self.doing,
                f"{self.done:,}",
                of,
                f"{self.done / (now - self._started):,.0f}",
            )

    def close(self) -> None:
        """Remove the bar."""
        if self._bar is not None:
            self._bar.close()


class Stopwatch:
    """Seconds of each step of a run, in the order in which the steps ended first."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add the seconds of the block to the step's, whether it ends in order or not."""
        began = time.monotonic()
        try:
            yield
        finally:
            self.add(step, time.monotonic() - began)

    def add(self, step: str, seconds: float) -> None:
        """Add seconds to a step's."""
        self.seconds[step] = self.seconds.get(step, 0.0) + seconds

    def line(self) -> str:
        """Return `took: start 4.6 s, stream 8.5 s`."""
        return "took: " + ", ".join(f"{step} {seconds:.1f} s" for step, seconds in self.seconds.items())
