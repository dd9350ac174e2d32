"""Spark's settings as files say them: conf/spark-defaults.conf, and conf/short-run.conf beside it. Standard library only."""

import re
from pathlib import Path

from surveylake.paths import CONF

DEFAULTS = CONF / "spark-defaults.conf"
SHORT_RUN = CONF / "short-run.conf"
"""What a run of a few megabytes adds to the defaults."""


def spark_settings(path: Path = DEFAULTS) -> dict[str, str]:
    """Return key -> value of a file of Spark's: a blank, '=' or ':' ends the key, and a line with '#' first is a comment."""
    lines = (line.strip() for line in path.read_text("utf-8").splitlines())
    pairs = (re.split(r"[\s=:]+", line, maxsplit=1) for line in lines if line and not line.startswith("#"))
    return {key: "".join(value) for key, *value in pairs}


def spark_setting(key: str, path: Path = DEFAULTS) -> str:
    """Return the value of one key, '' when it is not set."""
    return spark_settings(path).get(key, "")
