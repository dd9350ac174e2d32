"""The cluster path: docker-compose.yml's own commands, run by a standalone master and a worker on this machine."""

import contextlib
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psutil
import pytest
from deltalake import DeltaTable

from support.compose_file import command_of, read_compose, translated
from support.daemons import START_SECONDS, Daemon, answers, end, found, json_of, until, variables_of
from support.object_store import remove_sockets
from surveylake.kafka.embedded_node import free_port
from surveylake.paths import CONF, ROOT
from surveylake.runtime.java import java_environment

pytestmark = pytest.mark.cluster
WEED = {"master": "9333", "volume": "8080", "filer": "8888", "s3": "8333"}
"""The parts of the S3 server, and the ports that docker-compose.yml gives them."""
JOB_SECONDS = 500


@dataclass(frozen=True)
class Cluster:
    """A running master and worker, and how the names of docker-compose.yml are called here."""

    places: dict[str, str]
    environment: dict[str, str]
    state_url: str
    folder: Path
    secrets: tuple[str, ...]
    """what no command line and no output may hold"""

    def state(self) -> dict[str, Any]:
        """What the master says of itself."""
        return dict(json_of(self.state_url))

    def run(self, service: str, *arguments: str) -> str:
        """Run what the compose service runs, and more arguments; what it prints."""
        command = command_of(read_compose()["services"][service], self.places)
        process = subprocess.Popen(
            [found(command[0]), *command[1:], *arguments],
            cwd=ROOT, env={**self.environment, **variables_of(service, self.places)}, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True,
        )  # fmt: skip
        try:
            printed, complained = self._watched(process)
        finally:
            end(process)
        assert process.returncode == 0, printed + complained
        assert not self.told(printed + complained)
        return printed

    def told(self, text: str) -> bool:
        """Whether a text holds one of the secrets."""
        return any(secret in text for secret in self.secrets)

    def _watched(self, process: subprocess.Popen[str]) -> tuple[str, str]:
        """Wait for a job, and see meanwhile that no command line on this machine holds the secret."""
        deadline = time.monotonic() + JOB_SECONDS
        while time.monotonic() < deadline:
            with contextlib.suppress(subprocess.TimeoutExpired):
                return process.communicate(timeout=1)
            assert not [p.pid for p in psutil.process_iter(["cmdline"]) if self.told(str(p.info["cmdline"]))]
        raise TimeoutError(process.args)


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Master and one worker, started by the commands of docker-compose.yml, on free ports of 127.0.0.1."""
    folder = tmp_path_factory.mktemp("cluster")
    master_port, master_ui, worker_ui = (str(free_port()) for _ in range(3))
    places = {
        "spark://master:7077": f"spark://127.0.0.1:{master_port}",
        "master": "127.0.0.1",
        "7077": master_port, "8080": master_ui, "8081": worker_ui,
        "/secrets": str(folder), "/data": str(folder), "/tmp/work": str(folder / "work"),
        "/data/store": str(folder / "store"), "/usr/bin/weed": found("weed"),
        "/tmp/surveylake": str(folder / "var"),
        # Loopback only, also where a container listens to its whole network.
        "0.0.0.0": "127.0.0.1",
    }  # fmt: skip
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("SPARK_", "PYSPARK_"))},
        **java_environment(),
        "PATH": os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]]),
        "SPARK_LOCAL_IP": "127.0.0.1",
        "HOSTNAME": "127.0.0.1",
        # Eight short-lived JVMs: the second compiler would cost more than it saves.
        "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m",
    }
    made = command_of(read_compose()["services"]["secrets"], places)
    subprocess.run([sys.executable, *made[1:]], cwd=ROOT, check=True)
    settings = (folder / "spark" / "spark-defaults.conf").read_text("utf-8")
    secrets = (
        settings.partition("spark.authenticate.secret ")[2].split()[0],
        _keys(folder)["AWS_SECRET_ACCESS_KEY"],
    )
    state_url = f"http://127.0.0.1:{master_ui}/json/"
    with Daemon("master", places, environment, folder):
        until(lambda: json_of(state_url)["status"] == "ALIVE", folder)
        with Daemon("worker", places, environment, folder):
            until(lambda: json_of(state_url)["aliveworkers"] == 1, folder)
            yield Cluster(places, environment, state_url, folder, secrets)


@pytest.fixture(scope="module")
def s3(cluster: Cluster) -> Iterator[str]:
    """The S3 server with its bucket, started by the commands of docker-compose.yml. Yields its address."""
    ports = {name: free_port() for server in WEED for name in (server, f"{server}.grpc")}
    places = cluster.places | {
        "/data": str(cluster.folder / "store"), "0.0.0.0": "127.0.0.1",
        **{port: str(ports[server]) for server, port in WEED.items()},
        **{f"127.0.0.1:{port}": f"127.0.0.1:{ports[server]}.{ports[f'{server}.grpc']}" for server, port in WEED.items()},
    }  # fmt: skip
    # A container has its ports for itself; here the second port of each part must be a free one too.
    more = [f"-{server}.port.grpc={ports[f'{server}.grpc']}" for server in WEED]
    services = read_compose()["services"]
    health = translated(services["s3"]["healthcheck"]["test"][-1], {"8333": str(ports["s3"])})
    with Daemon("s3", places, cluster.environment, cluster.folder, *more):
        until(lambda: answers(health), cluster.folder)
        command = command_of(services["bucket"], places)
        subprocess.run(command, cwd=cluster.folder, check=True, timeout=START_SECONDS)
        yield f"http://127.0.0.1:{ports['s3']}"
    remove_sockets(ports.values())


@pytest.fixture(scope="module")
def survey(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The survey's contract under a topic of its own, since tests share the broker."""
    path = tmp_path_factory.mktemp("survey") / "food_preference.toml"
    contract = (CONF / "surveys" / "food_preference.toml").read_text("utf-8")
    path.write_text(contract.replace('topic = "Food"', 'topic = "cluster-food"'), "utf-8")
    shutil.copy(CONF / "surveys" / "food_preference.sample.csv", path.with_suffix(".sample.csv"))
    return path


def test_the_jobs_of_compose_run_on_a_cluster(cluster: Cluster, survey: Path, broker: str) -> None:
    here = ("--survey", str(survey))
    cluster.run("produce", "--bootstrap", broker, *here)
    streamed = cluster.run("stream", "--bootstrap", broker, *here)
    assert "289 records (accepted 288, rejected 1: out_of_range:Age 1)" in streamed
    aggregated = cluster.run("aggregate", *here)
    assert "288 responses" in aggregated
    cluster.run("export", *here)

    data = Path(cluster.places["/data"])
    records = DeltaTable(data / "lake" / "records").to_pyarrow_table(
        columns=["accepted", "partition", "offset"]
    )
    assert records.num_rows == 289
    assert records["accepted"].to_pylist().count(True) == 288
    identities = list(zip(records["partition"].to_pylist(), records["offset"].to_pylist(), strict=True))
    assert len(set(identities)) == 289
    assert DeltaTable(data / "lake" / "responses").to_pyarrow_table().num_rows == 288
    assert len((data / "out" / "responses.csv").read_text("utf-8").splitlines()) == 1 + 288
    assert (data / "out" / "report.html").is_file()

    # Each of the three ran on the worker's executor, and left it in order.
    finished = cluster.state()["completedapps"]
    assert sorted(app["name"] for app in finished) == [
        "surveylake aggregate",
        "surveylake export",
        "surveylake stream",
    ]
    assert all(app["state"] == "FINISHED" for app in finished)
    assert len(list((cluster.folder / "work").glob("app-*/0"))) == 3
    told = [*cluster.folder.glob("*.log"), *(cluster.folder / "work").glob("app-*/0/std*")]
    assert not [log for log in told if cluster.told(log.read_text("utf-8", "replace"))]


@pytest.mark.store
def test_the_jobs_of_the_profile_s3_have_their_lake_in_the_store(
    cluster: Cluster, survey: Path, broker: str, s3: str, tmp_path: Path
) -> None:
    """Driver and executor find the store by conf/cluster.toml. The driver alone has the keys in its environment."""
    out = Path(cluster.places["/data"]) / "out"
    shutil.rmtree(out, ignore_errors=True)
    conf = tmp_path / "cluster.toml"
    conf.write_text((CONF / "cluster.toml").read_text("utf-8").replace("http://s3:8333", s3), "utf-8")
    here = ("--survey", str(survey), "--conf", str(conf))
    cluster.run("produce", "--bootstrap", broker, *here)
    before = len(cluster.state()["completedapps"])
    streamed = cluster.run("stream-s3", "--bootstrap", broker, *here)
    assert "289 records (accepted 288, rejected 1: out_of_range:Age 1)" in streamed
    assert "288 responses" in cluster.run("aggregate-s3", *here)
    cluster.run("export-s3", *here)

    keys = _keys(cluster.folder)
    options = {**keys, "AWS_ENDPOINT_URL": s3, "AWS_REGION": "us-east-1", "AWS_ALLOW_HTTP": "true"}
    records, responses = (
        DeltaTable(f"s3a://survey/lake/{name}", storage_options=options).to_pyarrow_table()
        for name in ("records", "responses")
    )
    offsets = set(zip(records["partition"].to_pylist(), records["offset"].to_pylist(), strict=True))
    assert len(offsets) == records.num_rows == 289
    assert responses.num_rows == 288
    assert len((out / "responses.csv").read_text("utf-8").splitlines()) == 1 + 288
    finished = cluster.state()["completedapps"][before:]
    assert [app["state"] for app in finished] == ["FINISHED"] * 3


def test_a_secret_on_a_command_line_is_noticed(tmp_path: Path) -> None:
    nowhere = Cluster({}, {}, "", tmp_path, secrets=("kept-in-a-file-and-nowhere-else",))
    command = [sys.executable, "-c", "import time; time.sleep(60)", *nowhere.secrets]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        with pytest.raises(AssertionError):
            nowhere._watched(process)
    finally:
        end(process)
        process.communicate()


def _keys(folder: Path) -> dict[str, str]:
    """The keys of S3 as the drivers have them."""
    lines = (folder / "spark-s3" / "spark-env.sh").read_text("utf-8").splitlines()
    return dict(line.split("=", 1) for line in lines)
