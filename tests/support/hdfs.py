"""A real HDFS on loopback: a namenode and a datanode, each a process of its own."""

import getpass
import json
import os
import subprocess
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from surveylake.kafka.embedded_node import LOOPBACK, free_port
from surveylake.runtime.ivy import spark_home
from surveylake.runtime.jars import local_jars
from surveylake.runtime.java import find_java

START_SECONDS = 90
NAMENODE = "org.apache.hadoop.hdfs.server.namenode.NameNode"
DATANODE = "org.apache.hadoop.hdfs.server.datanode.DataNode"
STATE = "jmx?qry=Hadoop:service=NameNode,name=FSNamesystemState"
"""Where the namenode's web server says how many datanodes it has."""


@dataclass(frozen=True)
class Hdfs:
    """A running HDFS. Its files are reached by its REST interface: that shares no code with Spark."""

    port: int
    web: int
    """the port of the namenode's web server"""
    blocks: Path
    """the folder of the datanode, in which the files' blocks are"""

    @property
    def root(self) -> str:
        """The URI of its root, without a slash at the end."""
        return f"hdfs://{LOOPBACK}:{self.port}"

    def paths(self, folder: str) -> list[str]:
        """Return every file below a folder; none where it is not there."""
        try:
            entries = json.loads(self._ask("GET", folder, "LISTSTATUS"))["FileStatuses"]["FileStatus"]
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return []
            raise
        found = []
        for entry in entries:
            path = f"{folder}/{entry['pathSuffix']}"
            found += self.paths(path) if entry["type"] == "DIRECTORY" else [path]
        return found

    def read(self, path: str) -> bytes:
        """Return a file's content."""
        return self._ask("GET", path, "OPEN")

    def write(self, path: str, content: bytes) -> None:
        """Make or replace a file: the namenode names the datanode that takes it."""
        place = json.loads(self._ask("PUT", path, "CREATE", overwrite="true", noredirect="true"))
        urllib.request.urlopen(urllib.request.Request(place["Location"], content, method="PUT")).close()

    def delete(self, path: str) -> None:
        """Delete a file."""
        assert json.loads(self._ask("DELETE", path, "DELETE"))["boolean"], path

    def remove(self, folder: str) -> None:
        """Delete a folder with all that is in it."""
        assert json.loads(self._ask("DELETE", folder, "DELETE", recursive="true"))["boolean"], folder

    def _ask(self, method: str, path: str, operation: str, **more: str) -> bytes:
        query = urllib.parse.urlencode({"op": operation, "user.name": getpass.getuser(), **more})
        url = f"http://{LOOPBACK}:{self.web}/webhdfs/v1/{urllib.parse.quote(path)}?{query}"
        with urllib.request.urlopen(urllib.request.Request(url, method=method), timeout=30) as answer:
            return bytes(answer.read())


@contextmanager
def running(folder: Path) -> Iterator[Hdfs]:
    """Start both servers on free ports of loopback, their files in `folder`, and end them with the block."""
    port, web = free_port(), free_port()
    settings = {
        "fs.defaultFS": f"hdfs://{LOOPBACK}:{port}",
        "hadoop.tmp.dir": folder / "tmp",
        "dfs.namenode.name.dir": (folder / "names").as_uri(),
        "dfs.namenode.http-address": f"{LOOPBACK}:{web}",
        "dfs.datanode.data.dir": (folder / "blocks").as_uri(),
        **{f"dfs.datanode.{name}": f"{LOOPBACK}:0" for name in ("address", "http.address", "ipc.address")},
    }
    properties = "".join(
        f"<property><name>{key}</name><value>{value}</value></property>" for key, value in settings.items()
    )
    (folder / "hdfs-site.xml").write_text(f"<configuration>{properties}</configuration>", encoding="utf-8")
    with ExitStack() as stack:
        log = stack.enter_context((folder / "servers.log").open("wb"))
        subprocess.run(
            _java(folder, NAMENODE, "-format", "-nonInteractive"), stdout=log, stderr=log, check=True
        )
        for server in (NAMENODE, DATANODE):
            process = stack.enter_context(subprocess.Popen(_java(folder, server), stdout=log, stderr=log))
            stack.callback(process.kill)
        _wait(web, folder / "servers.log")
        yield Hdfs(port, web, folder / "blocks")


def _java(folder: Path, server: str, *words: str) -> list[str]:
    """Return the command that starts a server; its configuration is in `folder`."""
    jars = [str(folder), *map(str, local_jars("hdfs")), str(spark_home() / "jars" / "*")]
    return [str(find_java()), "-Xmx300m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
            "-cp", os.pathsep.join(jars), server, *words]  # fmt: skip


def _wait(web: int, log: Path) -> None:
    """Wait until the namenode has a datanode and may be written. Raises TimeoutError with the servers' log."""
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        try:
            with urllib.request.urlopen(f"http://{LOOPBACK}:{web}/{STATE}", timeout=5) as answer:
                (state,) = json.load(answer)["beans"]
            if state["NumLiveDataNodes"] == 1 and state["FSState"] == "Operational":
                return
        except (OSError, ValueError):
            pass
        time.sleep(0.1)
    raise TimeoutError(log.read_text(encoding="utf-8", errors="replace"))
