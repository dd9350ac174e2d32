"""The limits of the shell, container or service, compared with the needs of Spark and Kafka. Standard library only."""

import os
import re
import resource
from collections.abc import Iterator
from pathlib import Path

from surveylake.errors import SetupError
from surveylake.runtime.spark_conf import spark_setting

OPEN_FILES, WISHED_FILES = 400, 65_536
"""Spark alone opens nearly 400: its jars. Kafka opens more for each partition of a topic."""
THREADS = 256
JAVA_BYTES = 3 << 30
"""Address space that Spark's Java reserves beside its heap, for classes, compiled code and threads."""
FILE_BYTES = 1 << 30
"""Size of the files of a partition's log."""
SIZES = {"k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}
PIDS = (("/sys/fs/cgroup/pids.max", "/sys/fs/cgroup/pids.current"),
        ("/sys/fs/cgroup/pids/pids.max", "/sys/fs/cgroup/pids/pids.current"))  # fmt: skip


def check() -> None:
    """Raise the soft limit of open files. Raises SetupError, which names every limit that is too low and its remedy."""
    if too_low := [*_files(), *_memory(), *_threads()]:
        limits, remedies = zip(*too_low, strict=True)
        raise SetupError(
            f"the limits of this shell, or of the service or container, are too low for Spark and Kafka: {'; '.join(limits)}",
            f"{'; '.join(remedies)}. A limit that was lowered in a shell is raised in a new one, or by root (limits.conf).",
        )


def heap_bytes() -> int:
    """Return the heap that conf/spark-defaults.conf gives to Spark's Java, in bytes."""
    size = re.fullmatch(r"(\d+)([kmgt])b?", spark_setting("spark.driver.memory").lower())
    return int(size[1]) * SIZES[size[2]] if size else 1 << 30


def killed_by_system() -> int:
    """Return how many processes the system has killed for want of memory since it started; 0 where that is unknown."""
    try:
        match = re.search(r"^oom_kill (\d+)", Path("/proc/vmstat").read_text("ascii"), re.MULTILINE)
    except OSError:
        return 0
    return int(match[1]) if match else 0


def machine_bytes() -> int:
    """Return the memory of this machine, or of its container if that has less, in bytes; 0 where it is unknown."""
    sizes = []
    for file, pattern, unit in (
        ("/proc/meminfo", r"MemTotal:\s+(\d+) kB", 1024),
        ("/sys/fs/cgroup/memory.max", r"(\d+)", 1),
        ("/sys/fs/cgroup/memory/memory.limit_in_bytes", r"(\d+)", 1),
    ):
        try:
            match = re.match(pattern, Path(file).read_text("ascii"))
        except OSError:
            continue
        sizes += [int(match[1]) * unit] if match else []
    return min(sizes, default=0)


def _files() -> Iterator[tuple[str, str]]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = WISHED_FILES if hard == resource.RLIM_INFINITY else min(hard, WISHED_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    if hard != resource.RLIM_INFINITY and hard < OPEN_FILES:
        yield f"{hard:,} open files (ulimit -n), needed are {OPEN_FILES:,}", "Run: ulimit -n 4096"
    size, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
    if size != resource.RLIM_INFINITY and size < FILE_BYTES:
        yield (
            f"files of {size:,} bytes at most (ulimit -f), needed are {FILE_BYTES:,}",
            "Run: ulimit -f unlimited",
        )


def _memory() -> Iterator[tuple[str, str]]:
    needed = heap_bytes() + JAVA_BYTES
    for kind, option in ((resource.RLIMIT_AS, "-v"), (resource.RLIMIT_DATA, "-d")):
        size, _ = resource.getrlimit(kind)
        if size != resource.RLIM_INFINITY and size < needed:
            yield (
                f"{size >> 20:,} MB of memory addresses (ulimit {option}), needed are {needed >> 20:,}",
                f"Run: ulimit {option} unlimited",
            )


def _threads() -> Iterator[tuple[str, str]]:
    allowed, _ = resource.getrlimit(resource.RLIMIT_NPROC)
    # The limit does not hold for the superuser.
    if (
        allowed != resource.RLIM_INFINITY
        and os.geteuid() != 0
        and allowed - (used := _threads_of_user()) < THREADS
    ):
        yield (
            f"{allowed:,} processes and threads (ulimit -u), of which {used:,} run already, and {THREADS:,} more are needed",
            "Run: ulimit -u 4096",
        )
    for most, now in PIDS:
        try:
            left = int(Path(most).read_text("ascii")) - int(Path(now).read_text("ascii"))
        except (OSError, ValueError):  # missing, or 'max'
            continue
        if left < THREADS:
            yield (
                f"{left:,} more processes and threads in this container or service (pids.max), needed are {THREADS:,}",
                "Give the container more: docker run --pids-limit",
            )


def _threads_of_user() -> int:
    """Return how many threads this user runs, one or more per process; 0 where that is unknown."""
    count = 0
    for status in Path("/proc").glob("[0-9]*/status"):
        try:
            text = status.read_text("utf-8", "replace")
        except OSError:
            continue
        match = re.search(rf"^Uid:\t{os.getuid()}\b.*?^Threads:\t(\d+)", text, re.MULTILINE | re.DOTALL)
        count += int(match[1]) if match else 0
    return count
