"""The exports of one run at a URI: a folder of their own, and the manifest, replaced in one step, that names it.

OUT/set-ID/        the files of one run; ID is made from their bytes, so the same files are the same set
OUT/manifest.json  which set counts, and its files: readers look here first, and find an old set or a new one, each whole
"""

import hashlib
import json
import shutil
import tempfile
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from pyspark.sql import SparkSession

from surveylake.errors import ConfigError, StorageError
from surveylake.export.manifest import FOLDER, MANIFEST, manifest_text, read_manifest
from surveylake.export.out_folder import ANOTHER
from surveylake.export.staging import Staging
from surveylake.lake.hadoop_path import HadoopPath
from surveylake.lake.lake_path import LakePath, files_below, remove_tree
from surveylake.lake.log_files import LOG
from surveylake.lake.store_errors import StoreError
from surveylake.runtime import scratch

SET = "set-"
PARTS = "_parts"
"""The folder at a URI in which executors write the parts of a CSV, each export in one of its own."""
ABANDONED_SECONDS = 24 * 3600
"""Sets that the manifest no longer names, and what a killed export left, are deleted when they are older."""


class StorePublication:
    """One run's exports at a URI: as `Publication`, which it stands beside, for a folder of this machine.

    There is no lock. Of two exports at once the manifest names that of the later one, and both sets are whole.
    """

    def __init__(self, spark: SparkSession, out: str, lake: str) -> None:
        self.where = out.rstrip("/")
        """where the files of the set are; known once it is committed"""
        self._spark, self._out = spark, HadoopPath(spark, self.where)
        self._refuse(lake)

    def __enter__(self) -> Self:
        try:
            self._before = read_manifest(self._out).get(FOLDER, "")
        except StoreError as error:
            raise self._unwritable(error) from error
        self._staging = Staging(Path(tempfile.mkdtemp(prefix="export-", dir=scratch.folder())))
        self.path, self.folder = self._staging.path, self._staging.folder
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        shutil.rmtree(self._staging.root, ignore_errors=True)

    def commit(self, facts: dict[str, Any]) -> list[str]:
        """Upload the staged files as a set, then switch the manifest to it. Returns the names of the files."""
        files = self._staging.seal()
        name = SET + hashlib.sha256(json.dumps(files).encode()).hexdigest()[:16]
        try:
            for file in files:
                (self._out / name / file).upload(self._staging.root / file)
            (self._out / MANIFEST).replace_text(manifest_text({**facts, FOLDER: name}, files))
            remove_abandoned(self._out, SET, {name, self._before})
        except StoreError as error:
            raise self._unwritable(error) from error
        self.where = f"{self.where}/{name}"
        return [*files, MANIFEST]

    def _refuse(self, lake: str) -> None:
        """Raise ConfigError where exports must not go: in the lake, or in a Delta table."""
        inside = f"{self.where}/".startswith(f"{lake.rstrip('/')}/")
        if inside:
            raise ConfigError(f"exports cannot go to {self.where}: that is the lake, {lake}", ANOTHER)
        scheme, _, path = self.where.partition("://")
        host, *names = path.split("/")
        for depth in range(len(names) + 1):
            folder = f"{scheme}://{'/'.join([host, *names[:depth]])}/"
            try:
                is_table = HadoopPath(self._spark, f"{folder}{LOG}").is_dir()
            except StoreError as error:
                raise self._unwritable(error) from error
            if is_table:
                raise ConfigError(f"exports cannot go to {self.where}: {folder} is a Delta table", ANOTHER)

    def _unwritable(self, error: StoreError) -> StorageError:
        return StorageError(
            f"cannot write the exports to {self._out}: {error.message}", f"{error.hint} {ANOTHER}"
        )


def remove_abandoned(folder: LakePath, prefix: str, kept: set[str]) -> None:
    """Delete the folders of earlier exports in a folder: those with this prefix, not `kept`, and untouched for a day."""
    for entry in folder.iterdir() if folder.is_dir() else ():
        is_ours = entry.name.startswith(prefix) and entry.name not in kept and entry.is_dir()
        if is_ours and time.time() - _touched(entry) > ABANDONED_SECONDS:
            remove_tree(entry)


def _touched(folder: LakePath) -> float:
    """Return when the newest file in a folder was written: seconds since 1970. A store's folders have no time.

    A folder without a file counts as touched now: another export may be about to write there.
    """
    return max((path.stat().st_mtime for path in files_below(folder)), default=time.time())
