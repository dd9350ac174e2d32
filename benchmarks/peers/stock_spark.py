"""A Spark session as the quick starts of Spark and Delta make it: the jars, Delta's two lines; all else is Spark's default."""

import os
import tempfile

from pyspark.sql import SparkSession

from surveylake.runtime.jars import local_jars
from surveylake.runtime.java import java_environment

MEMORY = "2g"
"""The same driver memory as ours."""


def session() -> SparkSession:
    """The process's session; the first call starts it."""
    os.environ.update(java_environment())
    os.environ.setdefault("SPARK_CONF_DIR", tempfile.mkdtemp())
    os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    return (
        SparkSession.builder.master("local[*]")
        .config("spark.driver.memory", MEMORY)
        .config("spark.jars", ",".join(str(jar) for jar in local_jars("spark")))
        .config("spark.sql.extensions", "io.delta.sql.DeltaSparkSessionExtension")
        .config("spark.sql.catalog.spark_catalog", "org.apache.spark.sql.delta.catalog.DeltaCatalog")
        .getOrCreate()
    )
