"""Where the exports of one run are written: the set itself, and the parts of its largest file."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import SparkSession

from surveylake.export.publication import Publication
from surveylake.export.store_publication import PARTS, StorePublication, remove_abandoned
from surveylake.lake import s3
from surveylake.lake.lake_path import LakePath, lake_path, remove_tree
from surveylake.lake.tables import Lake
from surveylake.paths import is_local


def publication_of(spark: SparkSession, out: str, lake: Lake) -> Publication | StorePublication:
    """Return the set to be published in `out`, a folder or a URI. Raises ConfigError where exports must not go."""
    if is_local(out):
        return Publication(Path(out), lake.root)
    s3.check(spark, out, writes=False)
    return StorePublication(spark, out, lake.root)


@contextmanager
def parts_folder(spark: SparkSession, out: str, lake: Lake, file: Path) -> Iterator[LakePath]:
    """Yield a new folder that every executor reaches, for the parts of `file`, and delete it afterwards.

    It is where the exports go, when that is a URI, else in the lake, when that is one, else beside the file.
    """
    root = next((root for root in (out, lake.root) if not is_local(root)), "")
    if root:
        remove_abandoned(lake_path(spark, root) / PARTS, "", set())
        parts = lake_path(spark, root) / PARTS / uuid.uuid4().hex
    else:
        parts = file.with_name(f"_{file.name}.parts")
    try:
        yield parts
    finally:
        remove_tree(parts)
