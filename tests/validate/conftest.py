"""Verdicts are judged by generated code here, and by interpreted code in all other tests: large inputs and small ones."""

from collections.abc import Iterator

import pytest
from pyspark.sql import SparkSession

from support.sessions import generated_code
from surveylake.validate import fast_path


@pytest.fixture(scope="module")
def spark(spark: SparkSession) -> Iterator[SparkSession]:
    """The run's session, which generates code while a module of this folder runs."""
    with generated_code(spark) as session:
        yield session


@pytest.fixture
def as_a_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    """The fast path of many fields, however few there are."""
    monkeypatch.setattr(fast_path, "MOST_IN_ONE_METHOD", 0)


@pytest.fixture(params=["field by field", "as a whole"])
def way(request: pytest.FixtureRequest) -> str:
    """Both fast paths in turn: that of a few fields, and that of many."""
    if request.param == "as a whole":
        request.getfixturevalue("as_a_whole")
    return str(request.param)
