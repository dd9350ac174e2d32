"""Files of a lake wherever it is: a folder of this machine by `pathlib`, a URI by Hadoop's FileSystem in the same words."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import total_ordering
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Literal, Protocol

from surveylake.paths import is_local

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


class FileSize(Protocol):
    """As much of `os.stat_result` as a lake's files need."""

    @property
    def st_size(self) -> int: ...


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
    def stat(self) -> FileSize: ...
    def iterdir(self) -> Iterator["LakePath"]: ...
    def read_bytes(self) -> bytes: ...
    def open(self, mode: Literal["rb"], /) -> BinaryIO: ...
    def rename(self, target: Any, /) -> Any: ...


def lake_path(spark: "SparkSession", path: str) -> LakePath:
    """Return a path in a lake; one at a URI is reached as Spark reaches it, with the same rights."""
    return Path(path) if is_local(path) else HadoopPath(spark, path.rstrip("/"))


@dataclass(frozen=True)
class _Status:
    is_dir: bool
    st_size: int
    """bytes"""


@total_ordering
class HadoopPath:
    """A file or folder on a file system of Hadoop. What a listing said of it is kept, so that it need not be asked again."""

    def __init__(self, spark: "SparkSession", uri: str, status: _Status | None = None) -> None:
        self._spark, self._uri, self._status = spark, uri, status

    def __str__(self) -> str:
        return self._uri

    def __repr__(self) -> str:
        return f"HadoopPath({self._uri!r})"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, HadoopPath) and self._uri == other._uri

    def __lt__(self, other: "HadoopPath") -> bool:
        return self._uri < other._uri

    def __hash__(self) -> int:
        return hash(self._uri)

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self._uri.rpartition("/")[2]

    @property
    def suffix(self) -> str:
        """The name from its last dot on."""
        return Path(self.name).suffix

    def __truediv__(self, name: str) -> "HadoopPath":
        return HadoopPath(self._spark, f"{self._uri}/{name}")

    def with_name(self, name: str) -> "HadoopPath":
        """Return the path of that name beside this one."""
        return HadoopPath(self._spark, f"{self._uri.rpartition('/')[0]}/{name}")

    def is_dir(self) -> bool:
        """Return whether a folder is there."""
        status = self._asked()
        return status is not None and status.is_dir

    def is_file(self) -> bool:
        """Return whether a file is there."""
        status = self._asked()
        return status is not None and not status.is_dir

    def exists(self) -> bool:
        """Return whether anything is there."""
        return self._asked() is not None

    def stat(self) -> _Status:
        """Return the size. Raises FileNotFoundError when nothing is there."""
        status = self._asked()
        if status is None:
            raise FileNotFoundError(self._uri)
        return status

    def iterdir(self) -> Iterator["HadoopPath"]:
        """Yield what lies in the folder, each with what the one listing says of it."""
        path, system = self._located()
        for status in system.listStatus(path):
            known = _Status(bool(status.isDirectory()), int(status.getLen()))
            yield HadoopPath(self._spark, f"{self._uri}/{status.getPath().getName()}", known)

    def read_bytes(self) -> bytes:
        """Return the file's content. Raises FileNotFoundError when it is not there."""
        self.stat()
        path, system = self._located()
        stream = system.open(path)
        try:
            return bytes(self._java.org.apache.commons.io.IOUtils.toByteArray(stream))
        finally:
            stream.close()

    def rename(self, target: "HadoopPath") -> "HadoopPath":
        """Move the file or folder; on an object store that is a copy of each file, then a deletion. Raises OSError if refused."""
        path, system = self._located()
        if not system.rename(path, target._located()[0]):
            raise OSError(f"{self._uri} cannot be renamed to {target}")
        return target

    def open(self, mode: Literal["rb"]) -> BinaryIO:
        """Return the file's content as a stream to read."""
        return io.BytesIO(self.read_bytes())

    @property
    def _java(self) -> Any:
        return self._spark._jvm

    def _located(self) -> tuple[Any, Any]:
        """Return Hadoop's Path, and the file system it is on."""
        path = self._java.org.apache.hadoop.fs.Path(self._uri)
        return path, path.getFileSystem(self._spark._jsc.hadoopConfiguration())

    def _asked(self) -> _Status | None:
        """Return what is there; None for nothing."""
        if self._status is not None:
            return self._status
        path, system = self._located()
        if not system.exists(path):
            return None
        status = system.getFileStatus(path)
        return _Status(bool(status.isDirectory()), int(status.getLen()))
