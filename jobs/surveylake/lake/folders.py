"""The contents of a lake's folders on any file system: tables, their data files, the files of their logs."""

from dataclasses import dataclass

from pyspark.sql import SparkSession

from surveylake.errors import StorageError
from surveylake.lake import commits, tables
from surveylake.lake.lake_path import lake_path
from surveylake.lake.tables import Lake


@dataclass(frozen=True)
class File:
    """A file in a table's folder."""

    name: str
    size: int
    modified: int
    """ms since 1970"""


def files_in(spark: SparkSession, path: str) -> list[File]:
    """Return the data files in a table's folder, also those that its log does not name."""
    entries = [(entry.name, entry.stat()) for entry in lake_path(spark, path).iterdir() if entry.is_file()]
    files = [File(name, status.st_size, round(status.st_mtime * 1000)) for name, status in entries]
    return [file for file in files if file.name[0] not in "._"]


def uri(spark: SparkSession, path: str) -> str:
    """Return a table's path as Hadoop's full URI, such as `file:/data/lake/records`."""
    folder = commits.jvm(spark).org.apache.hadoop.fs.Path(path)
    system = folder.getFileSystem(spark._jsc.hadoopConfiguration())
    return str(system.makeQualified(folder).toString())


def names(spark: SparkSession, lake: Lake) -> list[str]:
    """Return the names of a lake's tables, sorted. Raises StorageError when there is none."""
    root = lake_path(spark, lake.root)
    folders = [path.name for path in root.iterdir() if path.is_dir()] if root.is_dir() else []
    if existing := sorted(name for name in folders if tables.exists(spark, lake.table(name))):
        return existing
    raise StorageError(f"there is no table in {lake.root}", "Give another lake with --lake.")


def log_text(spark: SparkSession, path: str, name: str) -> str | None:
    """Return the text of a file of the table's log; None when there is no such file."""
    log = commits.log_of(spark, path)
    settings = log.newDeltaHadoopConf()
    file = commits.jvm(spark).org.apache.hadoop.fs.Path(log.logPath(), name)
    if not file.getFileSystem(settings).exists(file):
        return None
    return str(log.store().read(file, settings).mkString("\n"))
