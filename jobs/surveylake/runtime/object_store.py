"""The settings of an object store, from [store] of a conf file to Hadoop."""

import os
from typing import TYPE_CHECKING

from surveylake.config import Store
from surveylake.runtime import scratch
from surveylake.runtime.foreign_settings import SUBMITTED

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def configure(spark: "SparkSession", store: Store) -> None:
    """Give Hadoop the store's settings, but for those that were given to Spark itself, as on spark-submit's command line.

    Keys are not among them: Spark takes AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN from the environment
    itself, and passes them on to executors.
    """
    path_style = "true" if store.path_style else ""
    settings = {"endpoint": store.endpoint, "endpoint.region": store.region, "path.style.access": path_style}
    if SUBMITTED not in os.environ:
        # What is on its way to the store; Hadoop's own folder is in /tmp.
        settings["buffer.dir"] = str(scratch.folder() / "s3a")
    given, hadoop = spark.sparkContext.getConf(), spark._jsc.hadoopConfiguration()
    for name, value in settings.items():
        if value and not given.contains(f"spark.hadoop.fs.s3a.{name}"):
            hadoop.set(f"fs.s3a.{name}", value)
