"""Verdicts are judged by generated code here, and by interpreted code in all other tests: large inputs and small ones."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from support.sessions import generated_code


@pytest.fixture(scope="module")
def spark(spark: SparkSession) -> Iterator[SparkSession]:
    """The run's session, which generates code while a module of this folder runs."""
    with generated_code(spark) as session:
        yield session
