"""Files of a lake wherever it is: a folder of this machine by `pathlib`, a URI by Hadoop's FileSystem in the same words."""

import shutil
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from surveylake.lake import s3
from surveylake.lake.hadoop_path import HadoopPath
from surveylake.paths import is_local

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class FileStatus(Protocol):
    """As much of `os.stat_result` as a lake's files need."""

    @property
    def st_size(self) -> int: ...
    @property
    def st_mtime(self) -> float: ...


class LakePath(Protocol):
    """As much of `pathlib.Path` as a lake's files need; `Path` itself is one."""

    @property
    def name(self) -> str: ...
    @property
    def suffix(self) -> str: ...
    def __truediv__(self, name: str, /) -> "LakePath": ...
    def __lt__(self, other: Any, /) -> bool: ...
    def with_name(self, name: str, /) -> "LakePath": ...
    def is_dir(self) -> bool: ...
    def is_file(self) -> bool: ...
    def exists(self) -> bool: ...
    def stat(self) -> FileStatus: ...
    def iterdir(self) -> Iterator["LakePath"]: ...
    def read_bytes(self) -> bytes: ...
    def open(self, mode: Literal["rb"], /) -> BufferedReader: ...
    def rename(self, target: Any, /) -> Any: ...
    def mkdir(self, *, parents: bool, exist_ok: bool) -> None: ...


def lake_path(spark: "SparkSession", path: str) -> LakePath:
    """Return a path in a lake; one at a URI is reached as Spark reaches it, with the same rights.

    Raises SetupError where the jars for it are missing.
    """
    if is_local(path):
        return Path(path)
    s3.check(spark, path, writes=False)
    return HadoopPath(spark, path.rstrip("/"))


def files_below(folder: LakePath) -> Iterator[LakePath]:
    """Yield every file in a folder and in those below it; none where there is no folder."""
    for path in folder.iterdir() if folder.is_dir() else ():
        if path.is_dir():
            yield from files_below(path)
        else:
            yield path


def remove_empty_folders(folder: LakePath) -> None:
    """Delete the folders below a folder that hold nothing. A store may fail to copy what stands for an empty one."""
    for path in [path for path in folder.iterdir() if path.is_dir()]:
        remove_empty_folders(path)
        if not any(path.iterdir()):
            remove_tree(path)


def remove_tree(path: LakePath) -> None:
    """Delete a folder with all that is in it, or a file; nothing there is as well."""
    if isinstance(path, HadoopPath):
        path.delete()
    elif path.is_dir():
        shutil.rmtree(str(path))
    elif path.exists():
        Path(str(path)).unlink()
