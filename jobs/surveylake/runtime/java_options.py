"""What every Java here is started with, whoever starts it and wherever: options and environment. Standard library only."""

import os
import pwd
import sys
from collections.abc import Mapping
from pathlib import Path

UTF8 = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"


def options(home: Path | None = None) -> list[str]:
    """JVM options; without `home`, a folder of this process's own, there is no blank and no quote in any.

    Words are compared in small letters: in a Turkish locale Java's small I is another letter. And /tmp, where a JVM notes its
    counters for other programs, may be full or closed.
    """
    # Of a user whom the system does not know Java takes '?' for the home folder, and makes it wherever it was started.
    own = [f"-Duser.home={home}"] if home and not has_name() else []
    return ["-Duser.language=en", "-XX:+PerfDisableSharedMem", *own]


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """A copy of `own` in which Java reads and writes file names as this Python does, without the way to this process's own Spark.

    With LC_ALL=C Python takes them for UTF-8, and Java for ASCII: it would not find a folder with an accent in its name.
    """
    made = {name: value for name, value in own.items() if not name.startswith("PYSPARK_GATEWAY_")}
    spoken = next(filter(None, (own.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))), "C")
    if sys.getfilesystemencoding() == "utf-8" and "UTF8" not in spoken.upper().replace("-", ""):
        made.pop("LC_ALL", None)
        made["LC_CTYPE"] = UTF8
    if not has_name():
        made.setdefault("SPARK_USER", user_name())
    return made


def has_name() -> bool:
    """Whether the system knows this process's user; in a container it may have a number only."""
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return True


def user_name() -> str:
    """A name for a user who has a number only."""
    return f"user{os.getuid()}"
