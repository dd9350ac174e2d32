"""Lakes at s3a://: the jars that they need, and a probe that their store creates an object only if it is absent."""

import uuid
from typing import Any

from py4j.protocol import Py4JJavaError  # type: ignore[import-untyped]
from pyspark.sql import SparkSession

from surveylake.errors import ConfigError, SetupError, StorageError
from surveylake.paths import CONF
from surveylake.runtime import java_classes
from surveylake.wording import innermost

SCHEME = "s3a://"
FILE_SYSTEM = "org.apache.hadoop.fs.s3a.S3AFileSystem"
SETTING = "spark.delta.logStore.s3a.impl"
CLASS = java_classes.LOG_STORE.name
CREATE_ONCE = "fs.option.create.conditional.overwrite"
PROBES = "_probe"
"""The folder of a lake in which a probe creates its key."""
REFUSALS = ("RemoteFileChangedException", "FileAlreadyExistsException")
"""The classes of Hadoop's errors for a create that the store refused."""
WHY = "two writers would lose each other's commits without an error"
HINT = "Use a store that honours If-None-Match on PUT: Amazon S3 does, and SeaweedFS 4.48 (docs/cluster.md)."


def check(spark: SparkSession, lake: str, writes: bool) -> None:
    """Check that this session can use a lake at s3a://; any other lake passes.

    Raises SetupError when the jars are missing. When the session `writes`, raises ConfigError for one that commits by another
    log store, and StorageError for a store that cannot be written or does not refuse to create a key twice.
    """
    if not lake.startswith(SCHEME):
        return
    _require_jars(spark, lake)
    if writes:
        if (log_store := spark.conf.get(SETTING, "")) != CLASS:
            raise ConfigError(
                f"this Spark session commits to {lake} by {log_store or 'the log store that Delta has for it'}: {WHY}",
                f"Start it with {SETTING} {CLASS}, as {CONF / 'spark-defaults.conf'} has it.",
            )
        _probe(spark, lake)


def _require_jars(spark: SparkSession, lake: str) -> None:
    java: Any = spark._jvm
    loader = java.Thread.currentThread().getContextClassLoader()
    try:
        for name in (FILE_SYSTEM, CLASS):
            java.java.lang.Class.forName(name, False, loader)
    except Py4JJavaError as error:
        raise SetupError(
            f"the jars for {lake} are not on Spark's class path",
            "run: make setup STORE=s3; with spark-submit also --jars 'var/jars/spark/*.jar,var/jars/s3/*.jar' (docs/cluster.md)",
        ) from error


def _probe(spark: SparkSession, lake: str) -> None:
    """Create one new key twice. Both creates look first and find it absent, so only the store itself can refuse the second."""
    java: Any = spark._jvm
    path = java.org.apache.hadoop.fs.Path(f"{lake.rstrip('/')}/{PROBES}/{uuid.uuid4().hex}")
    conf = spark._jsc.hadoopConfiguration()
    store = _endpoint(conf)
    try:
        system = path.getFileSystem(conf)
        store = _endpoint(system.getConf())  # a bucket may have an endpoint of its own
        if not system.hasPathCapability(path, CREATE_ONCE):
            raise StorageError(
                f"{lake}: creating only if absent is turned off (fs.s3a.create.conditional.enabled)", HINT
            )
        first, second = (
            system.createFile(path).overwrite(False).must(CREATE_ONCE, True).build() for _ in range(2)
        )
        try:
            try:
                first.close()
            finally:
                refused = _is_refused(second)
        finally:
            _remove(java, system, path)
    except Py4JJavaError as error:
        raise StorageError(
            f"{lake} cannot be written at {store}: {innermost(error)}",
            "Check the bucket, [store] in the conf file, and the keys: AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY.",
        ) from error
    if not refused:
        raise StorageError(
            f"the store of {lake} ({store}) created one key twice, although asked to only if absent: {WHY}",
            HINT,
        )


def _endpoint(conf: Any) -> str:
    """Return the address of the store, to name it."""
    return conf.get("fs.s3a.endpoint") or "Amazon S3"


def _remove(java: Any, system: Any, path: Any) -> None:
    """Remove one object, and create none: Hadoop's own delete would leave an empty object in the name of its folder."""
    request = java.software.amazon.awssdk.services.s3.model.DeleteObjectRequest.builder()
    named = request.bucket(system.getBucket()).key(path.toUri().getPath().lstrip("/")).build()
    system.getS3AInternals().getAmazonS3Client("probe").deleteObject(named)


def _is_refused(stream: Any) -> bool:
    """Return whether the store refuses what this stream creates. Raises Py4JJavaError for a failure of another kind."""
    try:
        stream.close()
    except Py4JJavaError as error:
        if str(error.java_exception.getClass().getSimpleName()) in REFUSALS:
            return True
        raise
    return False
