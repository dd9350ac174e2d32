"""Whether Spark's Java still lives, what it ended of, and the memory that it had: behind any failure may be the end of it."""

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
"""How long a Java that is on its way out is waited for: only then its exit code says why."""
SPARK_OUT_OF_MEMORY = 52
"""The code that Spark's own exit has when a task ran out of memory."""
TOO_LITTLE = re.compile(
    r"\b(OutOfMemoryError|StackOverflowError|UNABLE_TO_ACQUIRE_MEMORY)\b(?:: ([^\n]{1,120}))?"
)
NOISE = re.compile(
    r"WARNING: |Error occurred during init|Error: Could not create|Error: A fatal|Picked up|NOTE: |\s+at |:: |\t"
)
"""Lines of a Java that does not start which do not say why."""
JAVAS = ("pyspark", "py4j")
"""Where errors come from that Java is behind."""
SIGNALS = 128
"""An exit code above it is a signal's number added to it."""
LAUNCHER_GONE = "CMD: bad array subscript"
"""What Spark's start script says when the small Java that makes its command line has gone without an answer."""
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
    """What the Java that was started had."""

    setting: str
    heap: int
    """in bytes; 0 while it is not known"""
    killed: int
    """how many processes the system had killed for want of memory by then"""


_memory: Memory | None = None


def expect() -> None:
    """A Java is about to start: from here on its end is news."""
    global _memory
    _memory = Memory(spark_setting("spark.driver.memory"), 0, limits.killed_by_system())


def remember(spark: "SparkSession") -> None:
    """Note the memory of the Java that has started: it can no longer be asked when it matters."""
    global _memory
    assert spark._jvm is not None and _memory is not None
    heap = int(spark._jvm.java.lang.Runtime.getRuntime().maxMemory())
    _memory = replace(_memory, setting=spark.conf.get("spark.driver.memory", "1g") or "1g", heap=heap)


def forget() -> None:
    """Java is ended on purpose: no later failure has to do with it."""
    global _memory
    _memory = None


def explained(error: BaseException) -> JavaError | None:
    """The failure as one of Java's, when Java has ended or ran out of memory; None when something else is behind it."""
    if isinstance(error, JavaError) or _memory is None:
        return None
    if ended := _ended(error):
        return JavaError(f"Spark's Java ended in the middle of the work: {ended}; {_had()}", _hint(ended))
    if short := out_of_memory(error):
        return JavaError(f"Spark's Java had too little memory: {short}; {_had()}", _hint(short))
    return None


def not_started(code: int) -> SurveylakeError:
    """Why Java ended before it could be talked to, from its exit code and from what it said last."""
    said = process_log.end().splitlines()
    lines = [
        line.strip() for line in said if line.strip() and not NOISE.match(line) and LAUNCHER_GONE not in line
    ]
    if code < 0 or code > SIGNALS or (not lines and any(LAUNCHER_GONE in line for line in said)):
        how = "its launcher was killed" if 0 <= code <= SIGNALS else _cause(code)
        return JavaError(f"Spark's Java ended while it started: {how}; {_had()}", _hint(""))
    why = " / ".join(line[:200] for line in lines[:2]) or f"Java ended with code {code} and said nothing"
    return SetupError(
        f"Spark did not start: {why}",
        f"{foreign_settings.named(foreign_settings.JAVA)} All that Java said: {process_log.path()}".strip(),
    )


def require_life() -> None:
    """JavaError when Java has ended, or is about to: what it said last is then worth nothing."""
    if _memory is not None and (ended := _ended(None)):
        raise JavaError(f"Spark's Java ended in the middle of the work: {ended}; {_had()}", _hint(ended))


def out_of_memory(error: BaseException) -> str:
    """What Java had too little of, in its own words, when that is behind an error; '' when it is not."""
    for one in _chain(error):
        of_java = type(one).__module__.partition(".")[0] in (*JAVAS, "surveylake")
        if found := TOO_LITTLE.search(_text(one)) if of_java else None:
            return ": ".join(filter(None, found.groups()))
    return ""


def _ended(error: BaseException | None) -> str:
    """How Java ended, in words; '' while it lives. One that is on its way out is waited for."""
    gateway: Any = getattr(sys.modules.get("pyspark.core.context"), "SparkContext", None)
    gateway = getattr(gateway, "_gateway", None)
    if gateway is None:
        return ""
    process: subprocess.Popen[bytes] | None = gateway.proc
    concerned = error is None or any(not isinstance(one, SurveylakeError) for one in _chain(error))
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
    """Whether Java is shutting down, or answers no more."""
    try:
        return bool(gateway.jvm.org.apache.hadoop.util.ShutdownHookManager.get().isShutdownInProgress())
    except Exception:
        return True


def _cause(code: int) -> str:
    """The exit code of a Java in words."""
    said = TOO_LITTLE.findall(process_log.end())
    if code == SPARK_OUT_OF_MEMORY or said:
        return f"it ran out of memory ({': '.join(filter(None, said[-1])) if said else f'exit code {code}'})"
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


def _had() -> str:
    """The memory that it had, beside the machine's."""
    assert _memory is not None
    machine, heap = limits.machine_bytes(), f" (a heap of {_memory.heap >> 20:,} MB)" if _memory.heap else ""
    of = f" on a machine of {machine >> 20:,} MB" if machine else ""
    return f"it had spark.driver.memory {_memory.setting}{heap}{of}"


def _hint(cause: str) -> str:
    more = DEEPER if "StackOverflow" in cause else THREADS if "native thread" in cause else MORE
    return " ".join(
        filter(
            None,
            (
                AGAIN,
                more,
                foreign_settings.named(foreign_settings.JAVA),
                f"What it said last: {process_log.path()}",
            ),
        )
    )


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield error
        error = error.__cause__ or error.__context__


def _text(error: BaseException) -> str:
    """What an error says; of a Java error this asks Java, which may be gone."""
    try:
        return str(error)
    except Exception:
        return ""
