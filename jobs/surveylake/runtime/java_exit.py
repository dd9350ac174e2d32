"""The end of Spark's Java as an error: whether it still runs, why it ended, and how much memory it had."""

import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from surveylake.errors import JavaError, SetupError, SurveylakeError
from surveylake.runtime import foreign_settings, limits, process_log
from surveylake.runtime.spark_conf import spark_setting

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

END_SECONDS = 20
"""How long to wait for a Java that is shutting down: only its exit code says why."""
SPARK_OUT_OF_MEMORY = 52
"""Spark's exit code when a task ran out of memory."""
TOO_LITTLE = re.compile(
    r"\b(OutOfMemoryError|StackOverflowError|UNABLE_TO_ACQUIRE_MEMORY)\b(?:: ([^\n]{1,120}))?"
)
NOISE = re.compile(
    r"WARNING: |Error occurred during init|Error: Could not create|Error: A fatal|Picked up|NOTE: |\s+at |:: |\t"
)
"""Lines of a Java that does not start, other than the reason."""
JAVAS = ("pyspark", "py4j")
"""Packages whose errors come from Java."""
SIGNALS = 128
"""A shell's exit code of a killed process: this plus the signal's number."""
LAUNCHER_GONE = "CMD: bad array subscript"
"""What Spark's start script prints when the small Java that builds its command line was killed."""
AGAIN = "Run the same command again: what was committed stays, and it goes on from there."
MORE = (
    "If it comes again: close other programs, or give Spark more (spark.driver.memory in conf/spark-defaults.conf,"
    " spark-submit --driver-memory), or, for a stream, less at a time (batch_seconds in conf/local.toml)."
)
DEEPER = (
    "If it comes again: give Java's threads a larger stack (spark.driver.extraJavaOptions -Xss16m in"
    " conf/spark-defaults.conf)."
)
THREADS = "If it comes again: allow more processes and threads (ulimit -u; a container's pids limit)."


@dataclass(frozen=True)
class Memory:
    """The memory of the Java that was started."""

    setting: str
    heap: int
    """in bytes; 0 while it is unknown"""
    killed: int
    """processes that the system had killed for want of memory by then"""


_memory: Memory | None = None


def mark_start() -> None:
    """Note that a Java starts: from now on its end is an error."""
    global _memory
    _memory = Memory(spark_setting("spark.driver.memory"), 0, limits.killed_by_system())


def record_memory(spark: "SparkSession") -> None:
    """Record the memory of the Java that has started, which cannot be asked once it has ended."""
    global _memory
    assert spark._jvm is not None and _memory is not None
    heap = int(spark._jvm.java.lang.Runtime.getRuntime().maxMemory())
    _memory = replace(_memory, setting=spark.conf.get("spark.driver.memory", "1g") or "1g", heap=heap)


def mark_end() -> None:
    """Note that Java is ended on purpose: later errors have other causes."""
    global _memory
    _memory = None


def as_java_error(error: BaseException) -> JavaError | None:
    """Return the JavaError behind an error, when Java has ended or ran out of memory; else None."""
    if isinstance(error, JavaError) or _memory is None:
        return None
    if end := _end_words(error):
        return _java_error("ended in the middle of the work", end)
    if shortage := out_of_memory(error):
        return _java_error("had too little memory", shortage)
    return None


def not_started(code: int) -> SurveylakeError:
    """Return the error for a Java that ended before it answered, from its exit code and its last lines."""
    output = process_log.tail().splitlines()
    silent = [line for line in output if NOISE.match(line) or LAUNCHER_GONE in line]
    lines = [line.strip() for line in output if line.strip() and line not in silent]
    if code < 0 or code > SIGNALS or (not lines and any(LAUNCHER_GONE in line for line in output)):
        how = "its launcher was killed" if 0 <= code <= SIGNALS else _cause(code)
        return _java_error("ended while it started", how, MORE)
    why = " / ".join(line[:200] for line in lines[:2]) or f"Java ended with code {code} and said nothing"
    return SetupError(
        f"Spark did not start: {why}",
        f"{foreign_settings.unset_hint(foreign_settings.JAVA)} All that Java said: {process_log.path()}".strip(),
    )


def require_alive() -> None:
    """Raise JavaError when Java has ended or is shutting down: its last answers cannot be trusted."""
    if _memory is not None and (end := _end_words(None)):
        raise _java_error("ended in the middle of the work", end)


def out_of_memory(error: BaseException) -> str:
    """Return Java's words for the memory that it lacked, when that caused the error; else ''."""
    for cause in _chain(error):
        is_of_java = type(cause).__module__.partition(".")[0] in (*JAVAS, "surveylake")
        if match := TOO_LITTLE.search(_message(cause)) if is_of_java else None:
            return ": ".join(filter(None, match.groups()))
    return ""


def _end_words(error: BaseException | None) -> str:
    """Return how Java ended, in words; '' while it runs. Waits for a Java that is shutting down."""
    gateway: Any = getattr(sys.modules.get("pyspark.core.context"), "SparkContext", None)
    gateway = getattr(gateway, "_gateway", None)
    if gateway is None:
        return ""
    process: subprocess.Popen[bytes] | None = gateway.proc
    concerned = error is None or any(not isinstance(cause, SurveylakeError) for cause in _chain(error))
    if process is None:  # under spark-submit it is our parent, whose exit code is for others
        return "its exit code is spark-submit's" if concerned and _is_leaving(gateway) else ""
    if process.poll() is None and concerned and _is_leaving(gateway):
        try:
            process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            return f"it is shutting down, and had not ended after {END_SECONDS} s"
    code = process.poll()
    return "" if code is None else _cause(code)


def _is_leaving(gateway: Any) -> bool:
    """Return whether Java is shutting down, or no longer answers."""
    try:
        return bool(gateway.jvm.org.apache.hadoop.util.ShutdownHookManager.get().isShutdownInProgress())
    except Exception:
        return True


def _cause(code: int) -> str:
    """Return the reason of an exit code, in words."""
    shortages = TOO_LITTLE.findall(process_log.tail())
    if code == SPARK_OUT_OF_MEMORY or shortages:
        return f"it ran out of memory ({': '.join(filter(None, shortages[-1])) if shortages else f'exit code {code}'})"
    number = -code if code < 0 else code - SIGNALS if code > SIGNALS else 0
    if number not in set(signal.Signals):
        return f"exit code {code}"
    name = signal.Signals(number).name
    if number != signal.SIGKILL:
        return f"{'it was ended' if number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP) else 'it crashed'} ({name})"
    assert _memory is not None
    by_system = limits.killed_by_system() > _memory.killed
    who = (
        "the system, whose memory had run out"
        if by_system
        else "somebody, or by the system for want of memory"
    )
    return f"it was killed ({name}) by {who}"


def _memory_words() -> str:
    """Return the memory that Java had, and the machine's, in words."""
    assert _memory is not None
    machine, heap = limits.machine_bytes(), f" (a heap of {_memory.heap >> 20:,} MB)" if _memory.heap else ""
    of = f" on a machine of {machine >> 20:,} MB" if machine else ""
    return f"it had spark.driver.memory {_memory.setting}{heap}{of}"


def _java_error(event: str, cause: str, remedy: str = "") -> JavaError:
    remedy = remedy or (DEEPER if "StackOverflow" in cause else THREADS if "native thread" in cause else MORE)
    theirs = foreign_settings.unset_hint(foreign_settings.JAVA)
    hints = (AGAIN, remedy, theirs, f"What it said last: {process_log.path()}")
    return JavaError(f"Spark's Java {event}: {cause}; {_memory_words()}", " ".join(filter(None, hints)))


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    ids: set[int] = set()
    while error is not None and id(error) not in ids:
        ids.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _message(error: BaseException) -> str:
    """Return an error's message; '' where that asks a Java that has ended."""
    try:
        return str(error)
    except Exception:
        return ""
