"""A checkout in another place, for what is started from one."""

import shutil
from pathlib import Path

from surveylake.paths import CONF, JOBS
from surveylake.runtime.jars import JARS


def a_checkout(root: Path) -> Path:
    """The jobs, their settings and the jars, in another place; no Kafka and no kept classes yet."""
    for folder in (JOBS, CONF):
        shutil.copytree(folder, root / folder.name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copytree(JARS, root / "var" / "jars")
    return root
