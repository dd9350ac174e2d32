"""A real object store: SeaweedFS, one process of its own, on loopback or in a network namespace, with one bucket."""

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyarrow.fs import FileSelector, S3FileSystem
from pyspark.sql import SparkSession

from support.netns import Machine
from surveylake.config import Store
from surveylake.kafka.embedded_node import LOOPBACK, free_port
from surveylake.paths import CONF

KEY, SECRET = "surveykey", "survey-secret-that-no-log-may-hold"
BUCKET, REGION = "lakes", "us-east-1"
START_SECONDS = 60
SERVERS = ("master", "volume", "filer", "s3")
"""The parts of SeaweedFS that run; each listens on a port, and on one more for the other parts."""
IDENTITIES = {"identities": [{
    "name": "survey",
    "credentials": [{"accessKey": KEY, "secretKey": SECRET}],
    "actions": ["Admin", "Read", "Write", "List", "Tagging"],
}]}  # fmt: skip


@dataclass(frozen=True)
class ObjectStore:
    """A running store."""

    port: int
    address: str = LOOPBACK

    @property
    def settings(self) -> Store:
        """The table [store] of a conf file."""
        return Store(endpoint=f"http://{self.address}:{self.port}", path_style=True, region=REGION)

    @property
    def keys(self) -> dict[str, str]:
        """The keys, as the jobs find them in the environment."""
        return {"AWS_ACCESS_KEY_ID": KEY, "AWS_SECRET_ACCESS_KEY": SECRET}

    @property
    def options(self) -> dict[str, str]:
        """The store as delta-rs wants it: a reader that shares no code with Spark."""
        where = {"AWS_ENDPOINT_URL": self.settings.endpoint, "AWS_REGION": REGION, "AWS_ALLOW_HTTP": "true"}
        return {**self.keys, **where}

    def files(self) -> S3FileSystem:
        """The store's objects, read and written without Spark; a path begins with the bucket."""
        return S3FileSystem(
            access_key=KEY, secret_key=SECRET, endpoint_override=self.settings.endpoint, region=REGION,
            allow_bucket_creation=True,
        )  # fmt: skip

    @property
    def root(self) -> str:
        """The URI of the bucket, without a slash at the end."""
        return f"s3a://{BUCKET}"

    def paths(self, folder: str) -> list[str]:
        """Return every object below a folder of the bucket; none where it is not there."""
        chosen = FileSelector(f"{BUCKET}/{folder}", recursive=True, allow_not_found=True)
        found = self.files().get_file_info(chosen)
        return [entry.path.removeprefix(f"{BUCKET}/") for entry in found if entry.is_file]

    def read(self, path: str) -> bytes:
        """Return an object's content."""
        with self.files().open_input_stream(f"{BUCKET}/{path}") as stream:
            return bytes(stream.read())

    def write(self, path: str, content: bytes) -> None:
        """Make or replace an object."""
        with self.files().open_output_stream(f"{BUCKET}/{path}") as stream:
            stream.write(content)

    def delete(self, path: str) -> None:
        """Delete an object."""
        self.files().delete_file(f"{BUCKET}/{path}")

    def remove(self, folder: str) -> None:
        """Delete all objects below a folder of the bucket, those that stand for folders too."""
        self.files().delete_dir(f"{BUCKET}/{folder}")

    def conf(self, folder: Path) -> Path:
        """Write conf/local.toml with this store into a folder. Returns its path."""
        text = (CONF / "local.toml").read_text(encoding="utf-8")
        for line, value in (
            ('endpoint = ""', self.settings.endpoint), ("path_style = false", True), ('region = ""', REGION)
        ):  # fmt: skip
            assert text.count(line) == 1
            text = text.replace(line, f"{line.split()[0]} = {json.dumps(value)}")
        path = folder / "store.toml"
        path.write_text(text, encoding="utf-8")
        return path


def use(spark: SparkSession, bucket: str, endpoint: str, **more: str) -> str:
    """Have the session find a bucket at an endpoint. Returns a lake in it."""
    settings = {"endpoint": endpoint, "path.style.access": "true", "endpoint.region": REGION,
                "access.key": KEY, "secret.key": SECRET, **more}  # fmt: skip
    hadoop = spark.sparkContext._jsc.hadoopConfiguration()  # type: ignore[union-attr]
    for key, value in settings.items():
        hadoop.set(f"fs.s3a.bucket.{bucket}.{key}", value)
    return f"s3a://{bucket}/lake"


class Server:
    """SeaweedFS on free ports, its data in `folder`: on loopback, or where `machine` is. It may be killed and started again."""

    def __init__(self, folder: Path, machine: Machine | None = None) -> None:
        self._folder, self._log, self._machine = folder, folder / "weed.log", machine
        names, ports = [f"{server}.port{kind}" for server in SERVERS for kind in ("", ".grpc")], set[int]()
        while len(ports) < len(names):  # a port that is drawn twice is free both times
            ports.add(free_port())
        self._ports = dict(zip(names, ports, strict=True))
        self._process: subprocess.Popen[bytes] | None = None
        self.store = ObjectStore(self._ports["s3.port"], machine.address if machine else LOOPBACK)

    def start(self) -> None:
        """Start it and wait until it answers."""
        (self._folder / "data").mkdir(exist_ok=True)
        (self._folder / "s3.json").write_text(json.dumps(IDENTITIES), encoding="utf-8")
        command = [
            str(Path(sys.executable).with_name("weed")), "-logtostderr=true", "server", f"-dir={self._folder / 'data'}",
            f"-ip={self.store.address}", f"-ip.bind={self.store.address}", "-master.volumeSizeLimitMB=256",
            "-master.telemetry=false", "-volume.max=40", "-filer", "-s3", f"-s3.config={self._folder / 's3.json'}",
            "-s3.port.iceberg=0", "-s3.port.lance=0", *(f"-{name}={port}" for name, port in self._ports.items()),
        ]  # fmt: skip
        command = self._machine.command(*command) if self._machine else command
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(command, cwd=self._folder, stdout=output, stderr=output)
        _wait(self.store, self._log)

    def kill(self) -> None:
        """End it with SIGKILL, as a power cut would; its data stays."""
        if self._process:
            self._process.kill()
            self._process.wait()
        remove_sockets(self._ports.values())


@contextmanager
def running(folder: Path) -> Iterator[ObjectStore]:
    """Start SeaweedFS on free ports of loopback, its data in `folder`, and end it with the block."""
    server = Server(folder)
    try:
        server.start()
        server.store.files().create_dir(BUCKET)
        yield server.store
    finally:
        server.kill()


def remove_sockets(ports: Iterable[int]) -> None:
    """Remove what a SeaweedFS on these ports leaves in /tmp."""
    for port in ports:
        for socket in Path("/tmp").glob(f"seaweedfs-*-{port}.sock"):
            socket.unlink(missing_ok=True)


def _wait(store: ObjectStore, log: Path) -> None:
    """Wait until the store answers, by asking for keys. Raises TimeoutError with its log."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            urllib.request.urlopen(store.settings.endpoint, timeout=5).close()
        except urllib.error.HTTPError as answer:
            if answer.code == 403:
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise TimeoutError(log.read_text(encoding="utf-8", errors="replace"))
