"""A file or folder on a file system of Hadoop, in the words of `pathlib`: how a lake at a URI is reached."""

import io
from collections.abc import Iterator
from dataclasses import dataclass
from functools import total_ordering
from io import BufferedReader
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]

from surveylake.lake.store_errors import read_error, told

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

BLOCK = 1 << 20
"""bytes that are read at once"""


@dataclass(frozen=True)
class _Status:
    is_dir: bool
    st_size: int
    """bytes"""
    st_mtime: float
    """seconds since 1970, by the store's clock"""

    @classmethod
    def of(cls, status: Any) -> "_Status":
        """Take over Hadoop's FileStatus."""
        return cls(bool(status.isDirectory()), int(status.getLen()), int(status.getModificationTime()) / 1000)


class _JavaStream(io.RawIOBase):
    """Hadoop's FSDataInputStream as a Python stream; `size` is the file's, in bytes."""

    def __init__(self, uri: str, stream: Any, size: int) -> None:
        self._uri, self._stream, self._size = uri, stream, size

    def readable(self) -> bool:
        """Return that it can be read."""
        return True

    def seekable(self) -> bool:
        """Return that it can be read from any place."""
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to a place. Returns where that is from the start."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._stream.getPos(), io.SEEK_END: self._size}[whence]
        self._stream.seek(base + offset)
        return int(base + offset)

    def readinto(self, buffer: Any) -> int:
        """Fill the buffer as far as there is something. Returns how many bytes that were.

        Raises DamagedError, or StoreError where the store does not answer.
        """
        try:
            content = self._stream.readNBytes(len(buffer))
        except Py4JJavaError as error:
            raise read_error(self._uri, error) from error
        buffer[: len(content)] = content
        return len(content)

    def close(self) -> None:
        """Close Java's stream."""
        if not self.closed:
            self._stream.close()
        super().close()


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

    @told
    def iterdir(self) -> Iterator["HadoopPath"]:
        """Return what lies in the folder, each with what the one listing says of it."""
        path, system = self._located()
        return iter([self._listed(status) for status in system.listStatus(path)])

    @told
    def listed_from(self, name: str) -> Iterator["HadoopPath"]:
        """Return the files of the folder whose names are not before `name`, by Delta's log store."""
        store, settings = self._log_store()
        statuses = store.listFrom((self / name)._located()[0], settings)
        listed = []
        while statuses.hasNext():
            listed.append(self._listed(statuses.next()))
        return iter(listed)

    def read_bytes(self) -> bytes:
        """Return the file's content. Raises FileNotFoundError when it is not there."""
        with self.open("rb") as file:
            return file.read()

    @told
    def rename(self, target: "HadoopPath") -> "HadoopPath":
        """Move the file or folder; on an object store that is a copy of each file, then a deletion. Raises OSError if refused."""
        path, system = self._located()
        if not system.rename(path, target._located()[0]):
            raise OSError(f"{self._uri} cannot be renamed to {target}")
        return target

    @told
    def open(self, mode: Literal["rb"]) -> BufferedReader:
        """Return the file's content as a stream to read, of which a block at a time is in memory.

        Raises FileNotFoundError when it is not there.
        """
        size = self.stat().st_size
        path, system = self._located()
        return BufferedReader(_JavaStream(self._uri, system.open(path), size), BLOCK)

    @told
    def upload(self, file: Path) -> None:
        """Make a file of this machine's the content of this one."""
        path, system = self._located()
        system.copyFromLocalFile(
            False, True, self._java.org.apache.hadoop.fs.Path(file.absolute().as_uri()), path
        )

    @told
    def mkdir(self, *, parents: bool = True, exist_ok: bool = True) -> None:
        """Make the folder, and those above it, where they are missing."""
        path, system = self._located()
        system.mkdirs(path)

    @told
    def replace_text(self, text: str) -> None:
        """Make a text, which ends with a line's end, the file's content in one step: readers find the old one or the new.

        Delta's log stores know how for each scheme: by a rename, or because the store shows an object only when it is whole.
        """
        lines = self._java.java.util.ArrayList()
        for line in text.removesuffix("\n").split("\n"):
            lines.add(line)
        store, settings = self._log_store()
        actions = self._java.scala.jdk.javaapi.CollectionConverters.asScala(lines.iterator())
        store.write(self._located()[0], actions, True, settings)

    @told
    def delete(self) -> None:
        """Delete the file, or the folder with all that is in it, where there is one."""
        path, system = self._located()
        system.delete(path, True)

    @property
    def _java(self) -> Any:
        return self._spark._jvm

    def _located(self) -> tuple[Any, Any]:
        """Return Hadoop's Path, and the file system it is on."""
        path = self._java.org.apache.hadoop.fs.Path(self._uri)
        return path, path.getFileSystem(self._spark._jsc.hadoopConfiguration())

    def _log_store(self) -> tuple[Any, Any]:
        """Return Delta's log store for any scheme, and the settings that it wants with each call."""
        settings = self._spark._jsc.hadoopConfiguration()
        return self._java.org.apache.spark.sql.delta.storage.DelegatingLogStore(settings), settings

    def _listed(self, status: Any) -> "HadoopPath":
        """Return a file or folder in this folder, of which Hadoop's FileStatus is known."""
        return HadoopPath(self._spark, f"{self._uri}/{status.getPath().getName()}", _Status.of(status))

    @told
    def _asked(self) -> _Status | None:
        """Return what is there; None for nothing."""
        if self._status is not None:
            return self._status
        path, system = self._located()
        if not system.exists(path):
            return None
        return _Status.of(system.getFileStatus(path))
