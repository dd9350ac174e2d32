"""Class data sharing (CDS) archives: parsed JVM classes, cached between runs, which halves the start of Kafka and Spark."""

import hashlib
import os
from collections.abc import Iterable
from pathlib import Path

from surveylake.paths import SHARED, VAR
from surveylake.runtime.java import find_java, java_home

ARCHIVES, SHARED_ARCHIVES = VAR / "cds", SHARED / "cds"
"""This user's archives, and the checkout's, which are used where they fit."""
QUIET = ("-Xshare:auto", "-Xlog:disable", "-Xlog:all=error:stderr")
"""Java warns of each of the two thousand classes that it leaves out of an archive."""


class ClassArchive:
    """The archive of one program: recorded by a run that ends in order, used by later runs with the same Java and class path."""

    def __init__(self, program: str, class_path: Iterable[Path], folder: Path = ARCHIVES) -> None:
        java = java_home(find_java())
        stats = [(str(jar), jar.stat().st_size, jar.stat().st_mtime_ns) for jar in class_path]
        release = java / "release"
        version = release.read_text("utf-8", "replace") if release.is_file() else ""
        key = hashlib.sha256(repr((str(java), version, stats)).encode()).hexdigest()[:16]
        name = f"{program}-{key}.jsa"
        folders = (folder, SHARED_ARCHIVES) if folder == ARCHIVES else (folder,)
        self.path = next((each / name for each in folders if (each / name).is_file()), folder / name)
        self._fresh = folder / f"{program}-{key}.{os.getpid()}.new"
        self._others = f"{program}-*.jsa"

    def options(self, record: bool = True) -> list[str]:
        """Return the JVM options that use the archive; without one, those that record it, or none where it cannot be written."""
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
        """Move a recorded archive into place after the program has ended; drop it unless `whole`, the end, was in order.

        Archives of the same program for another Java or class path are removed. Returns whether an archive was kept.
        """
        is_kept = whole and self._fresh.exists()
        if is_kept:
            for old in self.path.parent.glob(self._others):
                old.unlink(missing_ok=True)
            self._fresh.replace(self.path)
        self._fresh.unlink(missing_ok=True)
        return is_kept
