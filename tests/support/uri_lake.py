"""A lake at a URI: how tests fill it, reach its files without Hadoop's client, and read its tables without Spark."""

import importlib
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pytest
from deltalake import DeltaTable
from pyspark.sql import DataFrame, SparkSession

import stream
from support.sessions import OPEN
from support.survey_env import SurveyEnv
from surveylake.lake import commits
from surveylake.stream.sink import DeltaSink
from surveylake.verify.checks import Proof
from surveylake.verify.proof import prove

EPOCH = "_checkpoints/records/epoch-1"


class Files(Protocol):
    """The files of a storage by a client that is not Hadoop's; a path begins at the storage's root, without a slash."""

    def paths(self, folder: str) -> list[str]: ...
    def read(self, path: str) -> bytes: ...
    def write(self, path: str, content: bytes) -> None: ...
    def delete(self, path: str) -> None: ...
    def remove(self, folder: str) -> None: ...


@dataclass(frozen=True)
class LocalFiles:
    """A folder of this machine as a storage."""

    folder: Path

    def paths(self, folder: str) -> list[str]:
        """Return every file below."""
        return [str(p.relative_to(self.folder)) for p in (self.folder / folder).rglob("*") if p.is_file()]

    def read(self, path: str) -> bytes:
        """Return a file's content."""
        return (self.folder / path).read_bytes()

    def write(self, path: str, content: bytes) -> None:
        """Make or replace a file."""
        (self.folder / path).parent.mkdir(parents=True, exist_ok=True)
        (self.folder / path).write_bytes(content)

    def delete(self, path: str) -> None:
        """Delete a file."""
        (self.folder / path).unlink()

    def remove(self, folder: str) -> None:
        """Delete a folder with all that is in it."""
        shutil.rmtree(self.folder / folder)


def mounted(spark: SparkSession, host: str, folder: Path) -> str:
    """Make a folder of the test reachable at a URI of Hadoop's own `viewfs://`, on a host of that name. Returns the URI."""
    settings = spark.sparkContext._jsc.hadoopConfiguration()  # type: ignore[union-attr]
    settings.set(f"fs.viewfs.mounttable.{host}.link./{folder.name}", folder.as_uri())
    return f"viewfs://{host}/{folder.name}"


class UriLake:
    """The lake `name` below the URI `root`; its answers come from the topic of `env`."""

    def __init__(self, env: SurveyEnv, root: str, files: Files, name: str = "lake") -> None:
        self.env, self.base, self.files, self.name = env, root, files, name
        self.root = f"{root}/{name}"
        self.sent = 0

    def beside(self, name: str) -> "UriLake":
        """Return another lake of the same topic, which is not there yet."""
        other = UriLake(self.env, self.base, self.files, f"{self.name}-{name}")
        other.sent = self.sent
        return other

    def send(self, count: int, **changed: str) -> None:
        """Send answers of people who have not answered yet."""
        self.env.send(count, start=self.sent, **changed)
        self.sent += count

    def take(self, **allowed: bool) -> None:
        """Run the stream over all there is."""
        stream.stream(OPEN, self.root, self.env.config, self.env.contract, "available-now", **allowed)

    def fill(self, count: int) -> None:
        """Send answers, and take them in."""
        self.send(count)
        self.take()

    def run(self, verb: str, *more: str | Path, survey: Path | None = None) -> int:
        """Run a verb in this process, on this lake. Returns its exit code."""
        words = ["--lake", self.root, *map(str, more)]
        words += [] if verb == "maintain" else ["--survey", str(survey or self.env.survey)]
        words += ["--bootstrap", self.env.bootstrap] if verb in ("stream", "verify", "repair") else []
        return int(importlib.import_module(verb).main(words))

    def proof(self, deep: bool = False) -> Proof:
        """Verify it."""
        return prove(OPEN, self.root, self.env.config, self.env.contract, deep=deep)

    def paths(self, folder: str = "") -> list[str]:
        """Return every file below a folder of the lake, relative to the lake."""
        whole = f"{self.name}/{folder}".rstrip("/")
        return [path.removeprefix(f"{self.name}/") for path in self.files.paths(whole)]

    def read(self, path: str) -> bytes:
        """Return the content of a file of the lake."""
        return self.files.read(f"{self.name}/{path}")

    def write(self, path: str, content: bytes) -> None:
        """Make or replace a file of the lake."""
        self.files.write(f"{self.name}/{path}", content)

    def delete(self, path: str) -> None:
        """Delete a file of the lake."""
        self.files.delete(f"{self.name}/{path}")

    def saved(self, folder: str) -> dict[str, bytes]:
        """Return all files below a folder, as a backup has them."""
        return {path: self.read(path) for path in self.paths(folder)}

    def remove(self, folder: str) -> None:
        """Lose a folder of the lake."""
        self.files.remove(f"{self.name}/{folder}")

    def put_back(self, folder: str, files: dict[str, bytes]) -> None:
        """Make the folder what it was, as from a backup."""
        self.remove(folder)
        for path, content in files.items():
            self.write(path, content)

    def table(self, name: str = "records") -> DeltaTable:
        """Return a table as delta-rs reads it, from a copy of its files on this machine's disk."""
        copy = Path(tempfile.mkdtemp(dir=self.env.folder))
        for path in self.paths(name):
            (copy / path).parent.mkdir(parents=True, exist_ok=True)
            (copy / path).write_bytes(self.read(path))
        return DeltaTable(copy / name)

    def offsets(self) -> list[tuple[int, int]]:
        """Every row's partition and offset, by a reader that is not Spark."""
        rows = self.table().to_pyarrow_table(columns=["partition", "offset"])
        return sorted(zip(*(column.to_pylist() for column in rows.columns), strict=True))

    def assert_each_once(self, count: int | None = None) -> None:
        """`count` rows, else as many as were sent, and no offset twice or passed over."""
        offsets = self.offsets()
        assert len(offsets) == len(set(offsets)) == (self.sent if count is None else count)
        for partition in {p for p, _ in offsets}:
            own = [offset for p, offset in offsets if p == partition]
            assert own == list(range(len(own)))


def before_the_batch(
    monkeypatch: pytest.MonkeyPatch, number: int, first: Callable[[], None], at: str
) -> None:
    """Do something once, before micro-batch `number` begins, or after it has written its files and not committed them."""
    real, few = DeltaSink.__call__, commits._few_tasks
    done: list[int] = []

    def write(sink: DeltaSink, batch: DataFrame, current: int) -> None:
        if current == number and at == "before it begins":
            first()
        done.append(current)
        real(sink, batch, current)

    def few_tasks(*given: Any) -> Any:
        if done[-1] == number and at == "before it commits":
            first()
        return few(*given)

    monkeypatch.setattr(DeltaSink, "__call__", write)
    monkeypatch.setattr(commits, "_few_tasks", few_tasks)
