"""What the tests share: one real Kafka and one real Spark for the whole run, and the order in which tests run."""

import fcntl
import os
import shutil
import socket
import sys
import zlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from support import hdfs as hdfs_servers
from support import object_store as stores
from support import pets_survey, selection, shell
from support.sessions import OPEN
from support.survey_env import SurveyEnv
from surveylake.contract.model import Contract
from surveylake.kafka.embedded import EmbeddedBroker
from surveylake.kafka.embedded_node import LOOPBACK, free_port
from surveylake.paths import SHARED
from surveylake.runtime.class_archive import SHARED_ARCHIVES
from surveylake.runtime.jars import SETS, fetch, local_jars
from surveylake.runtime.launch import spark_archive

KAFKA_PORT = 9092


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of the whole suite, and those of tests/faults: they must be known before that folder is collected."""
    parser.addoption("--quick", action="store_true", help="only tests that start no JVM (make quick)")
    group = parser.getgroup("faults", "the fault suite (make faults)")
    group.addoption("--all-faults", action="store_true", help="every fault, not the quick ones only")
    group.addoption("--fault-table", action="store_true", help="write var/faults.json and the table in docs")


def pytest_configure(config: pytest.Config) -> None:
    """With --quick a test that would start a JVM fails."""
    if config.getoption("--quick"):
        sys.addaudithook(selection.refuse_java)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what needs a JVM, leave it out with --quick, and put the longest files first."""
    for item in filter(selection.needs_java, items):
        item.add_marker("integration")
    if config.getoption("--quick"):
        left = [item for item in items if item.get_closest_marker("integration")]
        config.hook.pytest_deselected(items=left)
        items[:] = [item for item in items if not item.get_closest_marker("integration")]
    items.sort(key=selection.place)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out whole units, in the order of collection."""
    from xdist.scheduler import LoadScopeScheduling

    class ByUnit(LoadScopeScheduling):
        def _split_scope(self, nodeid: str) -> str:
            return selection.unit(nodeid)

    config.option.loadscopereorder = False
    return ByUnit(config, log)


@pytest.fixture(scope="session")
def kept_classes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Spark's and Kafka's classes kept parsed for every JVM of this checkout's tests, as `make run` leaves them.

    Recorded once, by the first of all workers. Beside other workers Kafka's usual port is taken, so that each embedded
    broker gets a port of its own: two that start at once would both find the usual one free.
    """
    SHARED.mkdir(exist_ok=True)
    with (SHARED / "tests.lock").open("w") as lock, socket.socket() as port:
        fcntl.flock(lock, fcntl.LOCK_EX)
        fetch(
            sets=SETS
        )  # before any JVM starts: those for s3a:// too, as `make setup STORE=s3` does, and HDFS's servers
        if not spark_archive(local_jars("spark"), SHARED_ARCHIVES).path.is_file():
            folder = tmp_path_factory.mktemp("classes")
            words = shell.command("run", "--lake", folder / "lake", "--out", folder / "out")
            shell.run(words, folder / "var").check_returncode()
            SHARED_ARCHIVES.mkdir(exist_ok=True)
            for archive in (folder / "var" / "cds").iterdir():
                copied = shutil.copy(archive, SHARED_ARCHIVES / f"{archive.name}.new")
                Path(copied).replace(SHARED_ARCHIVES / archive.name)
        fcntl.flock(lock, fcntl.LOCK_UN)
        if "PYTEST_XDIST_WORKER" in os.environ:
            # Connections of the run above may still be wound up: without this they would keep the port from us, and us alone.
            port.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with suppress(OSError):  # another worker, or somebody's Kafka, has it
                port.bind((LOOPBACK, KAFKA_PORT))
                port.listen()
        yield


@pytest.fixture(autouse=True)
def _kept_classes_of_processes(request: pytest.FixtureRequest) -> None:
    """Verbs as processes of their own find the kept classes too."""
    if request.node.get_closest_marker("integration"):
        request.getfixturevalue("kept_classes")


@pytest.fixture(scope="module")
def home(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that the tests of a module share."""
    return tmp_path_factory.mktemp(request.module.__name__.rpartition(".")[2])


@pytest.fixture(scope="module")
def survey(request: pytest.FixtureRequest, home: Path) -> Contract:
    """The survey of pets whose topic is the module's TOPIC, its contract in `home`."""
    return pets_survey.contract(home, request.module.TOPIC)


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory, kept_classes: None) -> Iterator[str]:
    """Where the run's Kafka answers; tests share it, so each uses topics of its own name."""
    shared = EmbeddedBroker(tmp_path_factory.mktemp("kafka"), free_port())
    with pytest.MonkeyPatch.context() as patch:
        # Half of its CPU went into the thorough compiler: it handles some thousand records.
        patch.setenv("JDK_JAVA_OPTIONS", "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m")
        shared.start()
    with shared:
        yield shared.bootstrap


@pytest.fixture(scope="session")
def object_store(
    tmp_path_factory: pytest.TempPathFactory, kept_classes: None
) -> Iterator[stores.ObjectStore]:
    """A real object store with one bucket; tests share it, so each uses a folder of its own name."""
    with stores.running(tmp_path_factory.mktemp("store")) as store:
        yield store


@pytest.fixture(scope="session")
def hdfs(tmp_path_factory: pytest.TempPathFactory, kept_classes: None) -> Iterator[hdfs_servers.Hdfs]:
    """A real HDFS; tests share it, so each uses a folder of its own name."""
    with hdfs_servers.running(tmp_path_factory.mktemp("hdfs")) as running:
        yield running


@pytest.fixture(scope="session")
def spark(kept_classes: None) -> Iterator[SparkSession]:
    """The run's Spark session, with the project's own settings and jars, as `make run` opens it for a short input.

    So it interprets plans and has no thorough compiler. Both change what a query costs, and not what it gives. tests/validate
    has Spark generate code, since a large input is judged by it, and so have verbs that are processes of their own.
    """
    session = OPEN()
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture
def env(broker: str, spark: SparkSession, tmp_path: Path, request: pytest.FixtureRequest) -> SurveyEnv:
    """A topic of the test's own on the shared broker, and a lake."""
    return SurveyEnv(f"T{zlib.crc32(request.node.nodeid.encode())}", broker, tmp_path)
