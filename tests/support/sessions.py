"""The session that steps are handed in tests: the run's own."""

from collections.abc import Iterator
from contextlib import contextmanager

from pyspark.sql import SparkSession

from surveylake.runtime.launch import Launch
from surveylake.runtime.session import OpenSession, open_session
from surveylake.runtime.spark_conf import SHORT_RUN, spark_settings


def _open() -> SparkSession:
    """Open the run's session, as `make run` opens it for a short input, since each test handles a few records."""
    return open_session("surveylake tests", Launch(short=True))


OPEN: OpenSession = _open


@contextmanager
def generated_code(spark: SparkSession) -> Iterator[SparkSession]:
    """Let Spark generate code while the block runs, as all verbs do but for a short run."""
    interpreted = {key: value for key, value in spark_settings(SHORT_RUN).items() if ".sql." in key}
    for key in interpreted:
        spark.conf.unset(key)
    try:
        yield spark
    finally:
        for key, value in interpreted.items():
            spark.conf.set(key, value)
