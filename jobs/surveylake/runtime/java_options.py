"""Options and environment of every Java that is started here. Standard library only."""

import os
import pwd
import sys
from collections.abc import Mapping
from pathlib import Path

UTF8 = "en_US.UTF-8" if sys.platform == "darwin" else "C.UTF-8"


def options(home: Path | None = None) -> list[str]:
    """Return the JVM options. `home` is a folder of this process; without it, no option has a blank or a quote.

    The language is English, since texts are compared in lower case and Java's Turkish lower case differs. No performance
    counters are written to /tmp, which may be full or closed.
    """
    # For a user whom the system does not know, Java creates a home folder named '?' in its working directory.
    own = [f"-Duser.home={home}"] if home and not has_name() else []
    return ["-Duser.language=en", "-XX:+PerfDisableSharedMem", *own]


def environment(own: Mapping[str, str]) -> dict[str, str]:
    """Return a copy of `own` in which Java encodes file names as this Python does, without the gateway to this process's Spark.

    With LC_ALL=C Python takes file names for UTF-8, and Java for ASCII: it would not find a folder with an accent in its name.
    """
    variables = {name: value for name, value in own.items() if not name.startswith("PYSPARK_GATEWAY_")}
    locale = next(filter(None, (own.get(name) for name in ("LC_ALL", "LC_CTYPE", "LANG"))), "C")
    if sys.getfilesystemencoding() == "utf-8" and "UTF8" not in locale.upper().replace("-", ""):
        variables.pop("LC_ALL", None)
        variables["LC_CTYPE"] = UTF8
    if not has_name():
        variables.setdefault("SPARK_USER", user_name())
    return variables


def has_name() -> bool:
    """Return whether the system has a name for this process's user; in a container it may have a number only."""
    try:
        pwd.getpwuid(os.getuid())
    except KeyError:
        return False
    return True


def user_name() -> str:
    """Return a name for a user that has a number only."""
    return f"user{os.getuid()}"
