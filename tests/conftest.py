"""What the tests share: one real Kafka for the whole run."""

from collections.abc import Iterator

import pytest

from surveylake.broker import EmbeddedBroker
from surveylake.kraft import free_port


@pytest.fixture(scope="session")
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Where the run's Kafka answers; tests share it, so each uses topics of its own name."""
    with EmbeddedBroker(tmp_path_factory.mktemp("kafka"), free_port()) as running:
        yield running.bootstrap
