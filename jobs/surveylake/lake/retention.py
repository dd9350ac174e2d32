"""VACUUM and how long versions stay readable: those of the last days, and the version of `records` that is published."""

from collections.abc import Collection
from dataclasses import dataclass

from pyspark.sql import DataFrame, SparkSession

from surveylake import sql
from surveylake.errors import ConfigError
from surveylake.lake import commits, folders, table_history, tables
from surveylake.lake.tables import RECORDS, Lake
from surveylake.paths import is_local
from surveylake.runtime.session_setting import session_setting

SAFE_DAYS = 7
"""Delta's own limit: a reader or writer that began before the files were replaced may take so long."""
FILES_KEPT, LOG_KEPT = "delta.deletedFileRetentionDuration", "delta.logRetentionDuration"
DEFAULT_HOURS = {FILES_KEPT: 7 * 24, LOG_KEPT: 30 * 24}
"""Delta's defaults for a table without these properties"""
RETENTION_CHECK = "spark.databricks.delta.retentionDurationCheck.enabled"
HOUR_MS = 3_600_000
INVENTORY = "path string, length bigint, isDir boolean, modificationTime bigint"


@dataclass(frozen=True)
class Removal:
    """The result of one VACUUM, in files."""

    removed: int
    published: int
    """old enough to be removed, and retained because a published table was made from them"""


def check_days(days: float, force: bool) -> None:
    """Raise ConfigError for fewer than SAFE_DAYS without `force`."""
    if days < SAFE_DAYS and not force:
        raise ConfigError(
            f"files replaced less than {SAFE_DAYS} days ago may still be read, and time travel needs them",
            f"Keep {SAFE_DAYS} days. Add --force only when nobody reads this lake.",
        )


def promise(spark: SparkSession, path: str, days: float) -> None:
    """Write into the table's properties how long its versions stay readable, where they differ.

    By these properties Delta forgets which files were replaced, and removes commits. Other programs' VACUUM reads them too.
    Fewer than SAFE_DAYS are never promised.
    """
    if days < SAFE_DAYS:
        return
    existing, hours = tables.properties(spark, path), round(days * 24)
    wanted = {FILES_KEPT: hours, LOG_KEPT: max(hours, DEFAULT_HOURS[LOG_KEPT])}
    if any(existing.get(key, _interval(DEFAULT_HOURS[key])) != _interval(h) for key, h in wanted.items()):
        tables.set_properties(spark, path, {key: _interval(h) for key, h in wanted.items()})


def vacuum(
    spark: SparkSession, path: str, days: float, force: bool = False, published: Collection[int] = ()
) -> Removal:
    """VACUUM: delete files that neither a version of the last `days` nor one of the `published` versions needs.

    Delta itself relies on the replaced files (tombstones) in the table's state, which expire by the table's properties. So the
    needed files are looked up here as well: those of the version of `days` ago, or of the oldest version that the log still
    has, and those that were replaced from then on.
    Nothing else may write to the table, not even in this process: files of a commit to come look like unneeded ones. At a URI,
    where no lock keeps writers away, files of the last SAFE_DAYS that no commit has named stay, whatever `days` says.
    Raises ConfigError below SAFE_DAYS without `force`.
    """
    check_days(days, force)
    hours = round(days * 24)
    since = commits.now(spark) - hours * HOUR_MS
    then = commits.version_at(spark, path, since)
    needed = commits.files_at(spark, path, then) | commits.files_at(spark, path, tables.version(spark, path))
    needed |= table_history.replaced_since(spark, path, then, since)
    old = [
        file for file in folders.files_in(spark, path) if file.modified < since and file.name not in needed
    ]
    if not is_local(path) and days < SAFE_DAYS:
        safe = commits.now(spark) - SAFE_DAYS * 24 * HOUR_MS
        young = {file.name for file in old if file.modified >= safe}
        unnamed = table_history.unnamed_since(spark, path, young, safe)
        old = [file for file in old if file.name not in unnamed]
    retained = _files_of(spark, path, published)
    unneeded = [file for file in old if file.name not in retained]
    if not unneeded:
        return Removal(0, len(old))
    rows = [(f"{folders.uri(spark, path)}/{file.name}", file.size, False, file.modified) for file in unneeded]
    _vacuum(spark, path, hours, spark.createDataFrame(rows, INVENTORY))
    removed = int(table_history.metrics_of(spark, path).get("numDeletedFiles", 0))
    return Removal(removed, len(old) - len(unneeded))


def published_versions(spark: SparkSession, lake: Lake) -> set[int]:
    """Return the versions of `records` that derived tables name, each as the newest version with the same rows."""
    path = lake.table(RECORDS)
    if not tables.exists(spark, path):
        return set()
    table = str(commits.snapshot(spark, path).metadata().id())
    names = [name for name in folders.names(spark, lake) if name != RECORDS]
    provenances = [table_history.provenance_of(spark, lake.table(name)) for name in names]
    versions = {each.records_version for each in provenances if each.records_id in (None, table)}
    return {table_history.same_rows(spark, path, version) for version in versions if version is not None}


def _vacuum(spark: SparkSession, path: str, hours: int, unneeded: DataFrame) -> None:
    """Have Delta delete these files (columns: INVENTORY); it checks them against the table's state once more."""
    unneeded.createOrReplaceTempView("surveylake_gone")
    try:
        with session_setting(spark, RETENTION_CHECK, "false"):
            spark.sql(
                f"VACUUM delta.{sql.name(path)} USING INVENTORY (SELECT * FROM surveylake_gone) RETAIN {hours} HOURS"
            )
    finally:
        spark.catalog.dropTempView("surveylake_gone")


def _files_of(spark: SparkSession, path: str, versions: Collection[int]) -> set[str]:
    """Return the names of the data files of several versions; a version that the log no longer has adds none."""
    names: set[str] = set()
    for version in versions:
        try:
            names |= commits.files_at(spark, path, version)
        except commits.FAILURES:
            continue
    return names


def _interval(hours: int) -> str:
    return f"interval {hours} hours"
