"""A setting of the session holds for a block, and leaves the session's own."""

import pytest
from pyspark.sql import SparkSession

from surveylake.runtime.session_setting import session_setting

KEY = "spark.sql.subexpressionElimination.enabled"


@pytest.mark.parametrize("own", [None, "false"])
def test_a_setting_ends_with_its_block_and_the_sessions_own_comes_back(
    spark: SparkSession, own: str | None
) -> None:
    session = spark.newSession()
    if own is not None:
        session.conf.set(KEY, own)
    with session_setting(session, KEY, "true"):
        assert session.conf.get(KEY) == "true"
    assert session.conf.get(KEY, None) == own
