"""What the tests share: one real Kafka and one real Spark for the whole run."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from surveylake.broker import EmbeddedBroker
from surveylake.kraft import free_port
from surveylake.session import open_session


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
