"""What lies in a lake's folders, on whatever file system they are: tables, their data files, the files of their logs."""

import os
from dataclasses import dataclass
from typing import Any

from pyspark.sql import SparkSession

from surveylake.errors import StorageError
from surveylake.lake import commits, tables
from surveylake.lake.tables import Lake
from surveylake.paths import is_local


@dataclass(frozen=True)
class File:
    """A file in a table's folder."""

    name: str
    size: int
    modified: int
    """ms since 1970"""


def files_in(spark: SparkSession, path: str) -> list[File]:
    """The data files in a table's folder, whatever its log says of them."""
    if is_local(path):
        there = [(entry.name, entry.stat()) for entry in os.scandir(path) if entry.is_file()]
        files = [File(name, stat.st_size, int(stat.st_mtime * 1000)) for name, stat in there]
    else:
        folder, system = _located(spark, path)
        files = [
            File(str(status.getPath().getName()), int(status.getLen()), int(status.getModificationTime()))
            for status in system.listStatus(folder)
            if status.isFile()
        ]
    return [file for file in files if file.name[0] not in "._"]


def put_aside(spark: SparkSession, path: str) -> None:
    """Give a folder, where it is there, another name beside the old one."""
    folder, system = _located(spark, path)
    number = 1
    while system.exists(_located(spark, f"{path}.retired-{number}")[0]):
        number += 1
    if system.exists(folder):
        system.rename(folder, _located(spark, f"{path}.retired-{number}")[0])


def uri(spark: SparkSession, path: str) -> str:
    """A table's path as Hadoop calls it in full, such as file:/data/lake/records."""
    folder, system = _located(spark, path)
    return str(system.makeQualified(folder).toString())


def names(spark: SparkSession, lake: Lake) -> list[str]:
    """The tables of a lake by name, one at least; StorageError when there is none."""
    root, files = _located(spark, lake.root)
    found = files.listStatus(root) if files.exists(root) else []
    folders = [str(status.getPath().getName()) for status in found if status.isDirectory()]
    if there := sorted(name for name in folders if tables.exists(spark, lake.table(name))):
        return there
    raise StorageError(f"there is no table in {lake.root}", "Give another lake with --lake.")


def log_text(spark: SparkSession, path: str, name: str) -> str | None:
    """A file of the table's log as text; None when it is not there."""
    log = commits.log_of(spark, path)
    settings = log.newDeltaHadoopConf()
    file = commits.jvm(spark).org.apache.hadoop.fs.Path(log.logPath(), name)
    if not file.getFileSystem(settings).exists(file):
        return None
    return str(log.store().read(file, settings).mkString("\n"))


def _located(spark: SparkSession, path: str) -> tuple[Any, Any]:
    """A folder as Hadoop's Path, and the file system it is on."""
    folder = commits.jvm(spark).org.apache.hadoop.fs.Path(path)
    return folder, folder.getFileSystem(spark._jsc.hadoopConfiguration())
