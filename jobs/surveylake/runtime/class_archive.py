"""Java's classes kept parsed between runs (CDS), one archive per program and class path: halves the start of Kafka and Spark."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from surveylake.paths import SHARED, VAR
from surveylake.runtime.java import find_java, java_home

ARCHIVES, SHARED_ARCHIVES = VAR / "cds", SHARED / "cds"
"""This user's own, and those of whoever set the checkout up: read where they fit."""
QUIET = ("-Xshare:auto", "-Xlog:disable", "-Xlog:all=error:stderr")
"""Java warns of each class it leaves out; there are two thousand, and none is anybody's to mend."""


class ClassArchive:
    """One program's archive. Recorded by a run that ends in order, then used by every run with the same Java and class path."""

    def __init__(self, program: str, class_path: Iterable[Path], folder: Path = ARCHIVES) -> None:
        java = java_home(find_java())
        stats = [(str(jar), jar.stat().st_size, jar.stat().st_mtime_ns) for jar in class_path]
        release = java / "release"
        version = release.read_text("utf-8", "replace") if release.is_file() else ""
        key = hashlib.sha256(repr((str(java), version, stats)).encode()).hexdigest()[:16]
        name = f"{program}-{key}.jsa"
        places = (folder, SHARED_ARCHIVES) if folder == ARCHIVES else (folder,)
        self.path = next((place / name for place in places if (place / name).is_file()), folder / name)
        self._fresh = folder / f"{program}-{key}.{os.getpid()}.new"
        self._others = f"{program}-*.jsa"

    def options(self, record: bool = True) -> list[str]:
        """JVM options that use the archive; without one, those that record it, or nothing where there is no place for it."""
        if self.path.exists():
            return [f"-XX:SharedArchiveFile={self.path}", *QUIET]
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._fresh.unlink(missing_ok=True)
        except OSError:
            return []
        writable = record and os.access(self.path.parent, os.W_OK)
        return [f"-XX:ArchiveClassesAtExit={self._fresh}", *QUIET] if writable else []

    def keep(self, whole: bool = True) -> bool:
        """After the program ended: put a recorded archive in its place, or drop it when the end was not in order.

        Archives of the same program for another Java or class path go: no run here would use them. Says whether one was kept.
        """
        kept = whole and self._fresh.exists()
        if kept:
            for old in self.path.parent.glob(self._others):
                old.unlink(missing_ok=True)
            self._fresh.replace(self.path)
        self._fresh.unlink(missing_ok=True)
        return kept
