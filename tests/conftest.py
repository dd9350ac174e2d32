"""What the tests share: one real Kafka and one real Spark for the whole run."""

import zlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from support.survey_env import SurveyEnv
from surveylake.kafka.embedded import EmbeddedBroker
from surveylake.kafka.embedded_node import free_port
from surveylake.runtime.session import open_session


def pytest_addoption(parser: pytest.Parser) -> None:
    """Options of tests/faults: they must be known before that folder is collected."""
    group = parser.getgroup("faults", "the fault suite (make faults)")
    group.addoption("--all-faults", action="store_true", help="every fault, not the quick ones only")
    group.addoption("--fault-table", action="store_true", help="write var/faults.json and the table in docs")


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the run's Kafka answers; tests share it, so each uses topics of its own name."""
    with EmbeddedBroker(tmp_path_factory.mktemp("kafka"), free_port()) as running:
        yield running.bootstrap


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """The run's Spark session, with the project's own settings and jars."""
    session = open_session("surveylake tests")
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture
def env(broker: str, spark: SparkSession, tmp_path: Path, request: pytest.FixtureRequest) -> SurveyEnv:
    """A topic of the test's own on the shared broker, and a lake."""
    return SurveyEnv(f"T{zlib.crc32(request.node.nodeid.encode())}", broker, tmp_path)
