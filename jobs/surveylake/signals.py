"""SIGTERM and Ctrl-C: work that stops in order, work that is interrupted, and signals that reach Java instead."""

import logging
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING, Any

log = logging.getLogger(__name__)

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

BOTH_SECONDS = 0.5
"""Ctrl-C and `kill -- -GROUP` reach Python and Java at once: within this time it is the same signal."""
received = threading.Event()
"""Set once this process has received one of the signals."""


class Terminated(KeyboardInterrupt):
    """SIGTERM, raised where nothing has to be finished first."""


_exceptions: dict[int, type[KeyboardInterrupt]] = {
    signal.SIGTERM: Terminated,
    signal.SIGINT: KeyboardInterrupt,
}
_numbers: list[int] = []


def record(number: int, _: FrameType | None = None) -> None:
    """Handle a signal by recording it."""
    _numbers.append(number)
    received.set()


def interrupt(number: int, _: FrameType | None = None) -> None:
    """Handle a signal by raising its exception. A second SIGTERM is ignored: it would interrupt the cleaning up."""
    if number == signal.SIGTERM and received.is_set():
        return
    record(number)
    raise _exceptions[number]


def reset() -> None:
    """Drop the recorded signals."""
    received.clear()
    _numbers.clear()


def raise_if_received() -> None:
    """Raise the exception of the last recorded signal; return when there is none."""
    if received.is_set():
        raise _exceptions[_numbers[-1]]


@contextmanager
def stop_signals(message: str = "", second_interrupts: bool = False) -> Iterator[threading.Event]:
    """Yield an event that SIGTERM and Ctrl-C set while the block runs; outside the main thread nothing sets it.

    With `message`, it is logged after the signal's name. With `second_interrupts`, a second Ctrl-C raises KeyboardInterrupt.
    """
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop
        return

    def stop_in_order(number: int, _: FrameType | None) -> None:
        record(number)
        stop.set()
        if second_interrupts:
            signal.signal(signal.SIGINT, signal.default_int_handler)
        if message:
            log.warning("%s: %s", signal.Signals(number).name, message)

    previous = {number: signal.signal(number, stop_in_order) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield stop
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class _Forward:
    """Java's signal handler: passes the signal on to Python, and lets Java go on until Python has ended."""

    def handle(self, number: Any) -> None:
        """Take Java's signal object; called by Java in a thread of its own."""
        if not received.wait(BOTH_SECONDS):
            os.kill(os.getpid(), number.getNumber())

    class Java:
        """The Java interface, for py4j."""

        implements = ("sun.misc.SignalHandler",)


def hear_from_java(spark: "SparkSession") -> None:
    """Have Java pass SIGTERM and Ctrl-C on to this process.

    spark-submit is Java with Python as its child, and a service ends all its processes at once. Java's own handler would shut
    Spark down in the middle of whatever runs.
    """
    from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
    from pyspark import SparkContext
    from pyspark.java_gateway import ensure_callback_server_started

    gateway, java = SparkContext._gateway, spark._jvm
    assert gateway is not None and java is not None
    ensure_callback_server_started(gateway)  # type: ignore[no-untyped-call]
    for name in ("TERM", "INT"):
        # A Java that was told to leave signals alone (-Xrs) raises: then the signal ends it, as its user wished.
        with suppress(Py4JJavaError):
            java.sun.misc.Signal.handle(java.sun.misc.Signal(name), _Forward())
