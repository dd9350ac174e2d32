"""Waiting for what is to come true, in place of sleeping for as long as it may take."""

import time
from collections.abc import Callable

WAIT_SECONDS = 120.0


def until(condition: Callable[[], bool], seconds: float = WAIT_SECONDS) -> None:
    """Wait for what is to come true; AssertionError when it does not."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "the awaited condition did not come true"
        time.sleep(0.02)
